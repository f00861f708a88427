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
export { bytea, instant, int8Minor, int8Number, int8Numbers, parseInt8Array, parseMinorArray } from "./columns.ts";
export { migrate, NotMigratedError, type Migrations } from "./migrate.ts";
export type { Privileges, Rights, ServiceRole, TableRights } from "./rights.ts";
