import type { OrderEvent, OrderPlaced, OrderRefunded } from "@perkstream/contracts";
import type { Rejection } from "@perkstream/program";
import { textProblem } from "./text.ts";

/** What a check needs of a Kafka record. */
export interface CheckedRecord {
  readonly key: Buffer | null;
  readonly timestamp: number;
}

export const MAX_ID_CHARACTERS = 64;
export const MAX_TEXT_CHARACTERS = 256;
export const MAX_LINES = 2_000;
/** The largest amount or sum of an order, 2^53 - 1: every JSON reader can hold it. */
export const MAX_MINOR = 9_007_199_254_740_991n;
/** First instant that is too late, 2200-01-01. */
export const END_OF_TIME_MS = Date.UTC(2200, 0, 1);

const RECORD_TYPES: readonly string[] = ["OrderPlaced", "OrderRefunded", "OrderCancelled"];

/**
 * Everything that makes an event `invalid_event`, whatever is stored (programs.md "Orders", protocols.md 21).
 * Null when the event can be judged. The message names the first bad field in the order of the schema.
 */
export function checkEvent(event: OrderEvent, record: CheckedRecord): Rejection | null {
  const problem = eventProblem(event, record);
  return problem === null ? null : { reason: "invalid_event", message: problem };
}

function eventProblem(event: OrderEvent, record: CheckedRecord): string | null {
  if (!RECORD_TYPES.includes(event.type)) return `record type ${event.type} is not one of ${RECORD_TYPES.join(", ")}`;
  return (
    idProblem("merchantId", event.merchantId) ??
    idProblem("customerId", event.customerId) ??
    idProblem("orderId", event.orderId) ??
    (event.type === "OrderRefunded" ? idProblem("refundId", event.refundId) : null) ??
    instantProblem("occurredAt", event.occurredAt) ??
    bodyProblem(event) ??
    keyProblem(event, record.key) ??
    timestampProblem(record.timestamp)
  );
}

function bodyProblem(event: OrderEvent): string | null {
  if (event.type === "OrderPlaced") return placedProblem(event);
  if (event.type === "OrderRefunded") return refundProblem(event);
  return event.reason === null ? null : textProblem("reason", event.reason, MAX_TEXT_CHARACTERS);
}

function idProblem(field: string, id: string): string | null {
  if (id === "") return `${field} must not be empty`;
  return textProblem(field, id, MAX_ID_CHARACTERS);
}

function instantProblem(field: string, ms: number): string | null {
  if (!Number.isSafeInteger(ms)) return `${field} must be an instant in milliseconds`;
  if (ms < 0) return `${field} must not be before 1970`;
  return ms >= END_OF_TIME_MS ? `${field} must be before 2200` : null;
}

function placedProblem(event: OrderPlaced): string | null {
  const currency = textProblem("currency", event.currency, MAX_TEXT_CHARACTERS);
  if (currency !== null) return currency;
  const count = lineCountProblem(event.lines.length);
  if (count !== null) return count;
  let sumMinor = 0n;
  for (let i = 0; i < event.lines.length; i++) {
    const line = event.lines[i]!;
    const problem =
      textProblem("sku", line.sku, MAX_TEXT_CHARACTERS) ??
      (line.category === null ? null : textProblem("category", line.category, MAX_TEXT_CHARACTERS)) ??
      (line.quantity < 1 ? "quantity must be at least 1" : null) ??
      amountProblem("netMinor", line.netMinor, 0n);
    if (problem !== null) return `lines[${i}].${problem}`;
    sumMinor += line.netMinor;
  }
  if (sumMinor > MAX_MINOR) return `the sum of lines[].netMinor must be at most ${MAX_MINOR}`;
  const paid = amountProblem("paidWithCashbackMinor", event.paidWithCashbackMinor, 0n);
  if (paid !== null) return paid;
  return event.paidWithCashbackMinor > sumMinor ? `paidWithCashbackMinor must be at most the sum of lines[].netMinor, ${sumMinor}` : null;
}

// A position that is not there, also a negative one, is refund_exceeds_order: only the order can tell.
function refundProblem(event: OrderRefunded): string | null {
  const count = lineCountProblem(event.lines.length);
  if (count !== null) return count;
  for (let i = 0; i < event.lines.length; i++) {
    const problem = amountProblem("netMinor", event.lines[i]!.netMinor, 1n);
    if (problem !== null) return `lines[${i}].${problem}`;
  }
  return null;
}

function lineCountProblem(count: number): string | null {
  if (count === 0) return "lines must not be empty";
  return count > MAX_LINES ? `lines must be at most ${MAX_LINES}` : null;
}

function amountProblem(field: string, amountMinor: bigint, leastMinor: bigint): string | null {
  if (amountMinor < leastMinor) return `${field} must be at least ${leastMinor}`;
  return amountMinor > MAX_MINOR ? `${field} must be at most ${MAX_MINOR}` : null;
}

// Bytes that are no UTF-8 read as U+FFFD, which a customer's id may hold rightly.
function keyProblem(event: OrderEvent, key: Buffer | null): string | null {
  const expected = `${event.merchantId}:${event.customerId}`;
  if (key?.toString("utf8") === expected && (!expected.includes("\uFFFD") || key.equals(Buffer.from(expected)))) return null;
  return "key must be merchantId:customerId";
}

// Not in the list of programs.md, but an as-of time of the year 200,000 is a value that no store can hold.
function timestampProblem(ms: number): string | null {
  return ms >= END_OF_TIME_MS || !Number.isSafeInteger(ms) ? "the record's timestamp must be before 2200" : null;
}
