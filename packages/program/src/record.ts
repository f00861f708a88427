import type { KafkaMessage } from "kafkajs";
import type { SourceRecord } from "./program.ts";

const NO_HEADERS: Readonly<Record<string, Buffer>> = Object.freeze({});

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
  let result: Record<string, Buffer> | undefined;
  for (const name in headers) {
    const given = headers[name];
    const last = Array.isArray(given) ? given.at(-1) : given;
    if (last === undefined) continue;
    result ??= {};
    result[name] = typeof last === "string" ? Buffer.from(last) : last;
  }
  return result ?? NO_HEADERS;
}
