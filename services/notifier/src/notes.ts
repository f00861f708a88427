import type { JsonRecord, RecordDecoder } from "@perkstream/contracts";
import { formatCursor } from "@perkstream/inbox";

export interface Note {
  readonly id: string;
  readonly frame: string;
}

/**
 * The `note` frame of a record of any type, or null when the value cannot be read.
 * The value's schema must have been prepared.
 */
export function noteOf(decoder: RecordDecoder<JsonRecord>, partition: number, offset: number, value: Buffer | null): Note | null {
  const decoded = decoder.decode(value);
  if (!decoded.ok) return null;
  const { type, data } = decoded.event;
  const id = data["id"];
  if (typeof id !== "string") return null;
  return {
    id,
    frame: JSON.stringify({ t: "note", cursor: formatCursor(partition, offset), id, type, at: data["occurredAt"] ?? null, data }),
  };
}
