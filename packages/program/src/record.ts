import type { KafkaMessage } from "kafkajs";
import type { SourceRecord } from "./program.ts";

const NO_HEADERS: Readonly<Record<string, Buffer>> = Object.freeze(Object.create(null) as Record<string, Buffer>);

/** A message of kafkajs as a record. Of a header that is there several times, the last one counts. */
export function toRecord(partition: number, offset: number, message: KafkaMessage): SourceRecord {
  return {
    partition,
    offset,
    timestamp: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: toHeaders(message.headers),
  };
}

function toHeaders(headers: KafkaMessage["headers"]): Readonly<Record<string, Buffer>> {
  if (isPlain(headers)) return headers;
  let result: Record<string, Buffer> | undefined;
  for (const name in headers) {
    const given = headers[name];
    const last = Array.isArray(given) ? given.at(-1) : given;
    if (last === undefined) continue;
    result ??= Object.create(null) as Record<string, Buffer>; // a header may be called __proto__
    result[name] = Buffer.isBuffer(last) ? last : Buffer.from(last ?? ""); // null: one without a value
  }
  return result ?? NO_HEADERS;
}

/** As nearly all are: there, and each once. */
function isPlain(headers: KafkaMessage["headers"]): headers is Record<string, Buffer> {
  if (headers === undefined) return false;
  for (const name in headers) if (!Buffer.isBuffer(headers[name])) return false;
  return true;
}
