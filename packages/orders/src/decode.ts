import type { OrderEvent } from "@perkstream/contracts";
import type { Decoded, Rejection, SourceRecord } from "@perkstream/program";
import { checkEvent } from "./domain/check.ts";
import { partitionOfKey } from "./domain/partition.ts";
import { scopeOf } from "./domain/preconditions.ts";

/** What is needed of contracts' `openOrderDecoder`. */
export interface OrderDecoder {
  /** Asks the registry for schema ids that are not known yet. Rejects on an outage. */
  prepare(values: readonly (Buffer | null)[]): Promise<void>;
  decode(value: Buffer | null): { readonly ok: true; readonly event: OrderEvent } | { readonly ok: false; readonly message: string };
}

/**
 * A program's `decode` for orders.v1: bytes that do not decode and every other `invalid_event` are rejected here,
 * so that `load` only sends Postgres what it can take.
 * @param partitions of the topic: then a record in another partition than its key's is rejected too, since whoever looks
 *   for the customer's events looks in that one. Without it records may be in any.
 */
export function decodeOrder(
  decoder: OrderDecoder,
  record: SourceRecord,
  partitions?: number,
): Decoded<OrderEvent> & { readonly scope: string | null } {
  const decoded = decoder.decode(record.value);
  if (!decoded.ok) {
    return { rejected: { reason: "invalid_event", message: decoded.message }, scope: scopeOf(null, record.key) };
  }
  const scope = scopeOf(decoded.event, record.key);
  const rejected = checkEvent(decoded.event, record) ?? (partitions === undefined ? null : checkPartition(record, partitions));
  return rejected === null ? { event: decoded.event, scope } : { rejected, scope };
}

/** The hash of a key costs a fifth of a microsecond at most, less than to look it up by text. */
function checkPartition({ key, partition }: SourceRecord, partitions: number): Rejection | null {
  const own = key === null ? partition : partitionOfKey(key, partitions);
  if (own === partition) return null;
  return { reason: "invalid_event", message: `the record is in partition ${partition}, its key belongs in partition ${own}` };
}
