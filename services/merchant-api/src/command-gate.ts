import { topics } from "@perkstream/contracts";
import type { Sql } from "@perkstream/postgres";
import { OutageError } from "./errors.ts";
import type { OrderLog } from "./kafka/order-log.ts";
import { programs, readPositions } from "./programs.ts";

/**
 * Whether commands and rule edits may be taken: not before both programs have passed the ends that orders.v1 had at the
 * start of the API. After a restore of an older database they would else hold from offsets that were handled once already
 * without them. Once open, it stays open.
 */
export async function openCommandGate(sql: Sql, orderLog: OrderLog): Promise<() => Promise<boolean>> {
  const ends = await orderLog.ends(topics.orders);
  let isOpen = false;
  return async () => {
    isOpen ||= await havePassed(sql, ends);
    return isOpen;
  };
}

/** Throws the 503 of a command that came before the programs have read what was in the log at the start. */
export async function requireCommandsOpen(commandsOpen: () => Promise<boolean>): Promise<void> {
  if (!(await commandsOpen())) throw new OutageError("the programs are still reading what was in the log when the API started");
}

async function havePassed(sql: Sql, ends: ReadonlyMap<number, number>): Promise<boolean> {
  for (const program of programs) {
    const next = new Map((await readPositions(sql, program)).map((row) => [row.partition, row.nextOffset]));
    for (const [partition, end] of ends) if ((next.get(partition) ?? 0) < end) return false;
  }
  return true;
}
