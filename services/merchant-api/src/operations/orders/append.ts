import type { OrderEvent } from "@perkstream/contracts";
import { requireCommandsOpen } from "../../command-gate.ts";
import { OutageError, Refusal } from "../../errors.ts";
import type { AnyReply, StoredAnswer } from "../../http/send.ts";
import type { Position } from "../../kafka/order-log.ts";
import { findAnswer, write, type WriteCall } from "../../write.ts";

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

/**
 * Links redemptions, then sends as `sendOnce`. The links are commands: 503 while commands wait after a start. They are
 * transactions of their own, made before the key is claimed, so that none stays open while they wait for a partition's lock;
 * the same links again change nothing.
 * @param names whether the request names a redemption at all
 */
export async function linkAndSend<L, R extends AnyReply>(
  call: WriteCall,
  names: boolean,
  link: () => Promise<L | Refusal>,
  send: (linked: L) => Promise<R | Refusal>,
): Promise<R | Refusal | StoredAnswer> {
  if (names) {
    await requireCommandsOpen(call.deps.commandsOpen);
    const known = await findAnswer(call);
    if (known !== null) return known;
  }
  const linked = await link();
  return sendOnce(call, async () => (linked instanceof Refusal ? linked : send(linked)));
}
