import type { Records } from "../../kafka/records.ts";
import type { StoredDeadLetter } from "./read.ts";

/** Coordinates are the original ones, of a parked event too; the key is text, or null with `keyBase64`. */
export function showDeadLetter(records: Records, row: StoredDeadLetter) {
  return {
    id: row.id,
    program: row.program,
    reason: row.reason,
    message: row.message,
    topic: row.topic,
    partition: row.part,
    offset: Number(row.off),
    timestamp: row.recordAt.toISOString(),
    ...keyOf(row.key),
    value: row.value === null ? null : row.value.toString("base64"),
    headers: row.headers,
    event: eventOf(records, row.value),
    createdAt: row.createdAt.toISOString(),
    redrivenAt: row.redrivenAt?.toISOString() ?? null,
  };
}

function keyOf(key: Buffer | null): { key: string | null; keyBase64?: string } {
  if (key === null) return { key: null };
  try {
    return { key: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(key) };
  } catch {
    return { key: null, keyBase64: key.toString("base64") };
  }
}

function eventOf(records: Records, value: Buffer | null): Record<string, unknown> | null {
  const decoded = records.json.decode(value);
  return decoded.ok ? { type: decoded.event.type, ...decoded.event.data } : null;
}
