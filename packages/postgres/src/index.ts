export { openSql, type Sql, type SqlOptions, type Tx } from "./connect.ts";
export {
  arrayLiteral,
  fromSet,
  insertSet,
  textsLiteral,
  updateSet,
  type Columns,
  type ColumnType,
  type FromSet,
  type Row,
} from "./sets.ts";
export { parseInt8Array, parseMinorArray } from "./array-text.ts";
export { migrate, NotMigratedError, type Migrations } from "./migrate.ts";
export type { Privileges, Rights, ServiceRole, TableRights } from "./rights.ts";
