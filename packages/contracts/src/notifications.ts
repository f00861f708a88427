import { AvroWriter } from "./avro/writer.ts";
import { type DecoderOptions, openDecoder, type RecordDecoder } from "./decoder.ts";
import { notificationsCodecs, type NotificationsRecords } from "./generated/notifications.ts";
import type { Registry } from "./registry.ts";

export type NotificationType = keyof NotificationsRecords;

/** The fields of each notification, by its record's name. */
export type NotificationRecords = { readonly [T in NotificationType]: Omit<NotificationsRecords[T], "type"> };

/** A decoded record of notifications.v1. */
export type NotificationEvent = NotificationsRecords[NotificationType];

export function openNotificationDecoder(registry: Registry, options?: DecoderOptions): RecordDecoder<NotificationEvent> {
  return openDecoder<NotificationEvent>(registry, Object.values(notificationsCodecs), options);
}

export interface NotificationEncoder {
  /** The framed value. Throws AvroError, naming the field, for what the schema cannot hold. */
  encode<T extends NotificationType>(type: T, record: NotificationRecords[T]): Buffer;
}

/** Encodes notifications.v1 with the ids of the registry. Rejects with RegistryError on an outage or when a schema is not registered. */
export async function openNotificationEncoder(registry: Registry): Promise<NotificationEncoder> {
  const codecs = Object.values(notificationsCodecs);
  const ids = new Map<NotificationType, number>(
    await Promise.all(codecs.map(async ({ type, subject, schema }) => [type, await registry.idOf(subject, schema)] as const)),
  );
  const writer = new AvroWriter();
  return {
    encode: (type, record) => {
      writer.open(ids.get(type) ?? 0);
      notificationsCodecs[type].write(writer, record);
      return writer.close();
    },
  };
}
