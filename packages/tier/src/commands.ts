import type { NotificationEncoder } from "@perkstream/contracts";
import type { Merchant } from "@perkstream/merchant";
import type { CommandContext } from "@perkstream/program";
import { ChangeLog } from "./changes.ts";
import type { Customer } from "./customer.ts";
import { type Decision, demote, pin, promote, type Refusal, type Rules, unpin } from "./domain/index.ts";
import { AccountIds, customerKey, loadAccounts } from "./store/accounts.ts";
import { openForTime, RulesCache } from "./store/load.ts";
import { numbering, saveCustomers } from "./store/save.ts";

export type TierCommand =
  | { readonly kind: "pin"; readonly levelId: string; readonly note: string; readonly untilAt: number | null }
  | { readonly kind: "promote" | "demote"; readonly note: string; readonly untilAt: number | null }
  | { readonly kind: "unpin" };

export interface CommandTarget {
  readonly merchant: Merchant;
  readonly customerId: string;
  /** The partition of the customer's key; its progress row is locked. */
  readonly partition: number;
}

export interface CommandBy {
  /** UUID of the stored command: the cause of its notification. */
  readonly id: string;
  readonly actor: string;
  /** The request's clock (ms). */
  readonly atMs: number;
}

export type CommandResult = { readonly done: true } | { readonly refused: Refusal };

/**
 * Pins, promotes, demotes or unpins a customer, inside `withPartitions` of the tier program. What is due by the clock
 * is applied first; that and the as-of stay, also when the command is refused. A customer that nobody knew is one
 * afterwards, but not by a refusal. Either is stored in `applied`.
 */
export async function runTierCommand(
  context: CommandContext,
  encoder: NotificationEncoder,
  { merchant, customerId, partition }: CommandTarget,
  command: TierCommand,
  by: CommandBy,
): Promise<CommandResult> {
  const { tx, progress } = context;
  const effect = { partition, offset: progress.get(partition)!.nextOffset };
  const rules = await new RulesCache().load(tx, [merchant]);
  const wanted = { merchant: merchant.id, customerId, partition, manual: merchant.clock === "manual", create: true };
  const rows = await loadAccounts(tx, new Map([[customerKey(merchant.id, customerId), wanted]]), new AccountIds());
  const [customer] = await openForTime(tx, [...rows.values()], rules, () => effect.offset);
  if (customer === undefined) throw new Error("the account was not made");
  const changes = new ChangeLog(encoder, numbering(progress));
  changes.because({ text: by.id, occurredAt: null });
  const asOf = customer.bringForward(effect, [by.atMs], changes);
  const decision = decideCommand(customer, customer.rulesAt(effect), command, by.actor, asOf);
  const refused = "refused" in decision ? decision.refused : null;
  if ("refused" in decision) {
    customer.take({ state: { ...customer.state, lastAsOf: asOf }, changes: [] }, effect, changes);
  } else {
    customer.known = true;
    // A pin of the level that is held changes no level, but its end and whose it is.
    customer.stored = null;
    customer.take(decision, effect, changes);
  }
  context.applied({ partition, kind: command.kind, customer: customer.acct, asOf, detail: detailOf(command, by, refused) });
  await saveCustomers(tx, [customer], changes.recorded, () => effect.offset);
  for (const { notice } of changes.takeNotices()) context.emit(partition, notice);
  return refused === null ? { done: true } : { refused };
}

/** What the domain says to a command, after what is due. */
export function decideCommand({ state, days }: Customer, rules: Rules, command: TierCommand, actor: string, asOf: number): Decision {
  if (command.kind === "unpin") return unpin(rules, state, days, { actor, asOf });
  const order = { untilAt: command.untilAt, note: command.note, actor, asOf };
  if (command.kind === "pin") return pin(rules, state, days, command.levelId, order);
  return (command.kind === "promote" ? promote : demote)(rules, state, days, order);
}

function detailOf({ kind: _kind, ...given }: TierCommand, { id, actor }: CommandBy, refused: Refusal | null) {
  return { id, actor, ...given, ...(refused === null ? {} : { refused }) };
}
