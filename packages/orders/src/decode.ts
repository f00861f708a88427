import type { OrderEvent } from "@perkstream/contracts";
import type { Decoded, SourceRecord } from "@perkstream/program";
import { checkEvent } from "./domain/check.ts";
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
 */
export function decodeOrder(decoder: OrderDecoder, record: SourceRecord): Decoded<OrderEvent> & { readonly scope: string | null } {
  const decoded = decoder.decode(record.value);
  if (!decoded.ok) {
    return { rejected: { reason: "invalid_event", message: decoded.message }, scope: scopeOf(null, record.key) };
  }
  const scope = scopeOf(decoded.event, record.key);
  const rejected = checkEvent(decoded.event, record);
  return rejected === null ? { event: decoded.event, scope } : { rejected, scope };
}
