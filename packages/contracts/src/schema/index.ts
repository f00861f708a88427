// What tools need that work on schemas as such; services need only the package's main entry.
export { canonicalForm } from "./canonical.ts";
export { type Incompatibility, incompatibilities } from "./compatibility.ts";
export {
  type ArraySchema,
  type EnumSchema,
  type FieldSchema,
  isNamed,
  isPrimitive,
  namespaceOf,
  parseRecord,
  parseSchema,
  type RecordSchema,
  type Schema,
  SchemaError,
  shortName,
  type UnionSchema,
} from "./model.ts";
