import { topics } from "@perkstream/contracts";
import { fromSet, insertSet, type Tx, updateSet } from "@perkstream/postgres";
import { RemedyError } from "@perkstream/program";
import { canRefill, refills } from "../domain/index.ts";
import { shareBudgets } from "./budget-edits.ts";
import type { BudgetKey, BudgetKeys } from "./budget-keys.ts";

/*
 * A budget over several partitions that award at the same time (docs/decisions/0009-budgets.md):
 *
 *   set, large ─► allowances: a chunk uses the rows of its own partitions,
 *        │            │       and locks the campaign's row only to refill them
 *        │ small      │ what is left of the row runs low, or an award cannot be paid whole
 *        ▼            ▼
 *      shared: every chunk that may award locks the campaign's row; only now may an award be cut
 *
 * An allowance is read and written without a lock of its own: chunks do it under the lock of its partition's progress row, and the
 * only others, an edit and the change to shared, hold the locks of all of them. For the same reason the mode cannot change while a
 * chunk is under way, and what the campaign's row has left can only fall: nobody gives back to it but those two.
 *
 * Rows are locked in one order: shared ones by campaign when a chunk loads, those of refills by campaign as the last locks of all.
 * A campaign is one or the other for all chunks that are under way, so no two can wait for each other.
 */

interface SharedBudget {
  readonly campaign: number;
  usedMinor: bigint;
  dirty: boolean;
}

interface Allowance extends BudgetKey {
  allowanceMinor: bigint;
  usedMinor: bigint;
  dirty: boolean;
}

/** A campaign with allowances, as this transaction sees it. */
interface SplitBudget {
  readonly campaign: number;
  readonly budgetMinor: bigint;
  /** Of the campaign's row; others may have taken of it since. */
  readonly leftMinor: bigint;
  readonly allowances: Map<number, Allowance>;
  /** What the allowances of this transaction are short of. */
  shortMinor: bigint;
  largestMinor: bigint;
  /** An award took all that was in reach, so more may have been due. */
  exhausted: boolean;
}

function shortOf({ allowanceMinor, usedMinor }: Allowance): bigint {
  return usedMinor > allowanceMinor ? usedMinor - allowanceMinor : 0n;
}

/** The budgets that one transaction may award from or give back to. */
export class BudgetBook {
  readonly #shared = new Map<number, SharedBudget>();
  readonly #split = new Map<number, SplitBudget>();

  /** Locks shared budgets in the order of their ids, and reads allowances without locking anything. */
  async load(tx: Tx, { shared, allowances }: Pick<BudgetKeys, "shared" | "allowances">): Promise<void> {
    const campaigns = [...shared].sort((a, b) => a - b);
    await Promise.all([this.#lockShared(tx, campaigns), this.#readSplit(tx, [...allowances.values()])]);
  }

  async #lockShared(tx: Tx, campaigns: readonly number[]): Promise<void> {
    if (campaigns.length === 0) return;
    const rows = await tx.unsafe<{ campaign: number; used: bigint }[]>(
      `SELECT campaign, used FROM cashback.campaign_budget WHERE campaign = ANY($1::int4[]) ORDER BY campaign FOR UPDATE`,
      [`{${campaigns.join(",")}}`],
      { prepare: true },
    );
    for (const { campaign, used } of rows) this.#shared.set(campaign, { campaign, usedMinor: used, dirty: false });
  }

  async #readSplit(tx: Tx, keys: readonly BudgetKey[]): Promise<void> {
    if (keys.length === 0) return;
    const set = fromSet(
      { campaign: "int4", part: "int4" },
      keys.map(({ campaign, part }) => ({ campaign, part })),
    );
    const rows = await tx.unsafe<
      { campaign: number; part: number; budget: bigint; taken: bigint; allowance: bigint | null; used: bigint | null }[]
    >(
      `SELECT r.campaign, r.part, b.budget, b.used AS taken, a.allowance, a.used FROM ${set.text} AS r
       JOIN cashback.campaign_budget b USING (campaign) LEFT JOIN cashback.budget_allowance a USING (campaign, part)`,
      set.params,
      { prepare: true },
    );
    for (const { campaign, part, budget, taken, allowance, used } of rows) {
      let split = this.#split.get(campaign);
      if (split === undefined) {
        split = {
          campaign,
          budgetMinor: budget,
          leftMinor: budget - taken,
          allowances: new Map(),
          shortMinor: 0n,
          largestMinor: 0n,
          exhausted: false,
        };
        this.#split.set(campaign, split);
      }
      split.allowances.set(part, { campaign, part, allowanceMinor: allowance ?? 0n, usedMinor: used ?? 0n, dirty: false });
    }
  }

  /** What an award may take at most. Of allowances: what is in reach; if an award takes all of it the transaction will not be saved. */
  left(campaign: number, part: number, budgetMinor: bigint): bigint {
    const shared = this.#shared.get(campaign);
    if (shared !== undefined) return budgetMinor - shared.usedMinor;
    const { split, allowance } = this.#allowance(campaign, part);
    const reachMinor = split.leftMinor - split.shortMinor + allowance.allowanceMinor - allowance.usedMinor + shortOf(allowance);
    if (reachMinor <= 0n) split.exhausted = true;
    return reachMinor;
  }

  /** An award takes (above 0), a clawback gives back (below 0): to where this partition's awards take from. */
  use(campaign: number, part: number, amountMinor: bigint): void {
    const shared = this.#shared.get(campaign);
    if (shared !== undefined) {
      shared.usedMinor += amountMinor;
      shared.dirty = true;
      return;
    }
    const { split, allowance } = this.#allowance(campaign, part);
    const shortBefore = shortOf(allowance);
    allowance.usedMinor += amountMinor;
    allowance.dirty = true;
    split.shortMinor += shortOf(allowance) - shortBefore;
    if (amountMinor > split.largestMinor) split.largestMinor = amountMinor;
    if (amountMinor > 0n) this.left(campaign, part, 0n);
  }

  #allowance(campaign: number, part: number): { split: SplitBudget; allowance: Allowance } {
    const split = this.#split.get(campaign);
    const allowance = split?.allowances.get(part);
    if (split === undefined || allowance === undefined)
      throw new Error(`the budget of campaign ${campaign} is not loaded for partition ${part}`);
    return { split, allowance };
  }

  /**
   * Before anything is saved: whether it can be paid from allowances, as far as is known without a lock.
   *
   * @throws RemedyError that makes budgets shared
   */
  check(): void {
    const low = [...this.#split.values()].filter(
      (split) => split.exhausted || (split.shortMinor > 0n && !canRefill(split, split.shortMinor, split.largestMinor)),
    );
    if (low.length > 0) throw toBeShared(low);
  }

  /** What is used, but for what must be refilled first. */
  async save(tx: Tx): Promise<void> {
    const shared = [...this.#shared.values()].filter((budget) => budget.dirty);
    const split = [...this.#split.values()].filter((budget) => budget.shortMinor === 0n);
    await Promise.all([
      updateSet(
        tx,
        "cashback.campaign_budget",
        ["campaign"],
        { campaign: "int4", used: "int8" },
        shared.map(({ campaign, usedMinor }) => ({ campaign, used: usedMinor })),
      ),
      saveAllowances(tx, split),
    ]);
  }

  /**
   * Refills the allowances that are short, from their campaigns' rows. After everything else of the transaction that may wait for
   * another one.
   *
   * @throws RemedyError that makes budgets shared
   */
  async refill(tx: Tx): Promise<void> {
    const short = [...this.#split.values()].filter((budget) => budget.shortMinor > 0n);
    if (short.length === 0) return;
    const rows = await lockForRefill(tx, short);
    const taken: { campaign: number; used: bigint }[] = [];
    const low: SplitBudget[] = [];
    for (const split of short) {
      const row = rows.get(split.campaign);
      if (row === undefined) throw new Error(`campaign ${split.campaign} has no budget any more`);
      const needy = [...split.allowances.values()].filter((allowance) => shortOf(allowance) > 0n);
      const room = { budgetMinor: row.budget, leftMinor: row.budget - row.used, partitions: row.partitions };
      const given = refills(room, needy.map(shortOf), split.largestMinor);
      if (given === null) low.push(split);
      given?.forEach((amountMinor, i) => {
        const allowance = needy[i];
        if (allowance !== undefined) allowance.allowanceMinor += amountMinor;
        row.used += amountMinor;
      });
      taken.push({ campaign: split.campaign, used: row.used });
    }
    if (low.length > 0) throw toBeShared(low);
    await Promise.all([
      updateSet(tx, "cashback.campaign_budget", ["campaign"], { campaign: "int4", used: "int8" }, taken),
      saveAllowances(tx, short),
    ]);
  }
}

function toBeShared(low: readonly SplitBudget[]): RemedyError {
  const budgets = low.map(({ campaign, budgetMinor }) => ({ campaign, budgetMinor }));
  const names = budgets.map(({ campaign }) => campaign).join(", ");
  return new RemedyError(`what is left of the budget of campaigns ${names} must be shared`, (sql) => shareBudgets(sql, budgets));
}

async function saveAllowances(tx: Tx, budgets: readonly SplitBudget[]): Promise<void> {
  const dirty = budgets.flatMap(({ allowances }) => [...allowances.values()].filter((allowance) => allowance.dirty));
  dirty.sort((a, b) => a.campaign - b.campaign || a.part - b.part);
  await insertSet(
    tx,
    "cashback.budget_allowance",
    { campaign: "int4", part: "int4", allowance: "int8", used: "int8" },
    dirty.map(({ campaign, part, allowanceMinor, usedMinor }) => ({ campaign, part, allowance: allowanceMinor, used: usedMinor })),
    "ON CONFLICT (campaign, part) DO UPDATE SET allowance = excluded.allowance, used = excluded.used",
  );
}

async function lockForRefill(
  tx: Tx,
  budgets: readonly SplitBudget[],
): Promise<Map<number, { readonly budget: bigint; used: bigint; readonly partitions: number }>> {
  const rows = await tx.unsafe<{ campaign: number; budget: bigint; used: bigint; partitions: number }[]>(
    `SELECT campaign, budget, used, (SELECT count(*)::int4 FROM cashback.progress WHERE topic = $2) AS partitions
     FROM cashback.campaign_budget WHERE campaign = ANY($1::int4[]) ORDER BY campaign FOR UPDATE`,
    [`{${budgets.map(({ campaign }) => campaign).join(",")}}`, topics.orders],
    { prepare: true },
  );
  return new Map(rows.map((row) => [row.campaign, { budget: row.budget, used: row.used, partitions: row.partitions }]));
}
