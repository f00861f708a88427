import { max, sum } from "./money.ts";

/*
 * How a campaign's budget is split over the partitions that award at the same time (docs/decisions/0009-budgets.md).
 * All amounts are minor units of the merchant's currency.
 */

/** A refill is 1 / (4 × partitions) of what is left: all allowances together hold about a quarter of it. */
const SHARES = 4n;
/** A refill lasts for at least so many awards as large as the largest that is seen. */
const FEW_AWARDS = 4n;
/** Below a twentieth of the budget no more is handed out. */
const LOW_PART = 20n;
/** A first refill of less is not worth its row. */
const SMALL_SHARE_MINOR = 2_500n;

export interface BudgetRoom {
  readonly budgetMinor: bigint;
  /** Neither used nor handed out. */
  readonly leftMinor: bigint;
  readonly partitions: number;
}

function share({ leftMinor, partitions }: BudgetRoom): bigint {
  return leftMinor / (SHARES * BigInt(partitions));
}

/** What must stay when a partition is handed an allowance; with less the budget is shared. */
function lowMinor(budgetMinor: bigint, largestAwardMinor: bigint): bigint {
  return max(max(budgetMinor / LOW_PART, largestAwardMinor), 1n);
}

/** Whether a budget that is set now is too small for allowances, or one partition has it for itself. */
export function sharedAtOnce(room: BudgetRoom, perOrderCapMinor: bigint | null): boolean {
  const largestMinor = perOrderCapMinor ?? 0n;
  if (room.partitions === 1 || room.leftMinor < lowMinor(room.budgetMinor, largestMinor)) return true;
  return share(room) < max(largestMinor, SMALL_SHARE_MINOR);
}

/** Whether what is left pays these shortages whole and does not run low by it. */
export function canRefill({ budgetMinor, leftMinor }: Omit<BudgetRoom, "partitions">, shortMinor: bigint, largestMinor: bigint): boolean {
  return leftMinor - shortMinor >= lowMinor(budgetMinor, largestMinor);
}

/**
 * What partitions get that have awarded more than their allowances held: what each is short of, and something for the next
 * awards. Null when not even the former can be had: then the budget is to be shared. `largestMinor` is the largest award seen.
 */
export function refills(room: BudgetRoom, shortMinor: readonly bigint[], largestMinor: bigint): bigint[] | null {
  const total = sum(shortMinor);
  if (!canRefill(room, total, largestMinor)) return null;
  let spareMinor = room.leftMinor - total - lowMinor(room.budgetMinor, largestMinor);
  const wanted = max(share(room), FEW_AWARDS * largestMinor);
  return shortMinor.map((short) => {
    const more = wanted < spareMinor ? wanted : spareMinor;
    spareMinor -= more;
    return short + more;
  });
}
