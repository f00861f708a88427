import { topics } from "@perkstream/contracts";
import type { Sql } from "@perkstream/postgres";
import { OutageError } from "./errors.ts";
import type { OrderLog } from "./kafka/order-log.ts";
import { corePrograms, readPositions } from "./programs.ts";

/** Whether commands of a program may be taken; without a name: those of tier and cashback. */
export type CommandsOpen = (program?: string) => Promise<boolean>;

/**
 * Commands and rule edits are not taken before the programs that they concern have passed the ends that orders.v1 had at
 * the start of the API. After a restore of an older database they would else hold from offsets that were handled once
 * already without them. Once open, it stays open.
 */
export async function openCommandGate(sql: Sql, orderLog: OrderLog): Promise<CommandsOpen> {
  const ends = await orderLog.ends(topics.orders);
  const open = new Set<string>();
  return async (program) => {
    for (const name of program === undefined ? corePrograms : [program]) {
      if (open.has(name)) continue;
      if (!(await hasPassed(sql, name, ends))) return false;
      open.add(name);
    }
    return true;
  };
}

/** Throws the 503 of a command that came before its programs have read what was in the log at the start. */
export async function requireCommandsOpen(commandsOpen: CommandsOpen, program?: string): Promise<void> {
  if (!(await commandsOpen(program))) throw new OutageError("the programs are still reading what was in the log when the API started");
}

async function hasPassed(sql: Sql, program: string, ends: ReadonlyMap<number, number>): Promise<boolean> {
  const next = new Map((await readPositions(sql, program)).map((row) => [row.partition, row.nextOffset]));
  return [...ends].every(([partition, end]) => (next.get(partition) ?? 0) >= end);
}
