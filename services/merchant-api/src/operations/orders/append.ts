import type { OrderEvent } from "@perkstream/contracts";
import type { Refusal } from "../../errors.ts";
import { OutageError } from "../../errors.ts";
import type { AnyReply, StoredAnswer } from "../../http/send.ts";
import type { Position } from "../../kafka/order-log.ts";
import { write, type WriteCall } from "../../write.ts";

/** Appends one event with the request's clock as its timestamp. */
export async function appendOne(call: WriteCall & { readonly now: number }, event: OrderEvent): Promise<Position> {
  const [position] = await call.deps.orderLog.append([event], call.now);
  if (position === undefined) throw new OutageError("Kafka acknowledged nothing");
  return position;
}

/**
 * Sends events at most once per Idempotency-Key. Only then a transaction stays open while Kafka answers: should the process
 * die in between, the key is free and a repeat appends the same events again, which the programs drop. It comes from a pool of
 * its own, since `send` commits statements of its own: in one pool, all transactions could wait for a second connection.
 */
export async function sendOnce<R extends AnyReply>(call: WriteCall, send: () => Promise<R | Refusal>): Promise<R | Refusal | StoredAnswer> {
  return call.idempotency === null ? send() : write(call, () => send(), { sql: call.deps.waitingSql });
}
