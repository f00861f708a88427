export { AvroError } from "./avro/error.ts";
export { type DecodeResult, type DecoderOptions, type JsonRecord, openJsonDecoder, type RecordDecoder } from "./decoder.ts";
export type * from "./generated/notifications.ts";
export type * from "./generated/orders.ts";
export { topics } from "./generated/topics.ts";
export {
  type NotificationEncoder,
  type NotificationEvent,
  type NotificationRecords,
  type NotificationType,
  openNotificationDecoder,
  openNotificationEncoder,
} from "./notifications.ts";
export { openOrderDecoder, openOrderEncoder, type OrderEncoder, type OrderEvent } from "./orders.ts";
export { connectRegistry, fixedRegistry, type Registry, registryAddress, RegistryError, type RegistryOptions } from "./registry.ts";
export { type PublishedSchema, schemas, subjectOf } from "./schemas.ts";
