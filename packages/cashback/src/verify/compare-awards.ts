import { type Difference, differingFields, type Fields, type Where } from "@perkstream/verify";
import type { StoredAward, StoredAwards, StoredClawback } from "../awards.ts";
import type { RefundExtra } from "../work.ts";
import type { CashbackRefundRow } from "./rows.ts";

export interface FoundAward extends Pick<Difference, "expected" | "found"> {
  readonly thing: "award" | "cap";
  readonly problem: "changed" | "exceeded" | "missing" | "unexpected";
  readonly where: Where;
}

/**
 * The awards of an order, by campaign, and the campaigns that did not judge it.
 *
 * @param row the stored JSON text
 * @param capLeft what the customer's cap of a campaign had left for the order; undefined without a cap
 */
export function compareAwards(
  expected: StoredAwards | null,
  row: string | null,
  campaignId: (campaign: number) => string,
  capLeft: (campaign: number) => bigint | undefined,
): FoundAward[] {
  const wanted = expected ?? { a: [], x: [] };
  // Nearly every order is as it should be, and then its text is the same.
  if (row === JSON.stringify(wanted)) return [];
  const stored = row === null ? { a: [], x: [] } : (JSON.parse(row) as StoredAwards);
  const differences: FoundAward[] = [];
  const left = new Map(stored.a.map((award) => [award[0], award]));
  for (const award of wanted.a) {
    const found = left.get(award[0]);
    left.delete(award[0]);
    const where = { campaign: campaignId(award[0]) };
    if (found === undefined) differences.push({ thing: "award", problem: "missing", where, expected: fieldsOf(award), found: null });
    else {
      const differing = differingFields(fieldsOf(award), fieldsOf(found));
      if (differing !== null) differences.push({ ...kindOf(found, capLeft(award[0])), where, ...differing });
    }
  }
  for (const award of left.values()) {
    differences.push({
      thing: "award",
      problem: "unexpected",
      where: { campaign: nameOf(campaignId, award[0]) },
      expected: null,
      found: fieldsOf(award),
    });
  }
  const others = differingFields({ notEligible: othersOf(wanted) }, { notEligible: othersOf(stored) });
  if (others !== null) differences.push({ thing: "award", problem: "changed", where: {}, ...others });
  return differences;
}

/** An award that takes more than the customer's cap has left is named so. */
function kindOf(found: StoredAward, capLeft: bigint | undefined): Pick<FoundAward, "thing" | "problem"> {
  if (capLeft !== undefined && BigInt(found[12]) > capLeft) return { thing: "cap", problem: "exceeded" };
  return { thing: "award", problem: "changed" };
}

/** A tampered row may name a campaign that the merchant does not have. */
function nameOf(campaignId: (campaign: number) => string, campaign: number): string {
  try {
    return campaignId(campaign);
  } catch {
    return `number ${campaign}`;
  }
}

function othersOf({ x }: StoredAwards): string {
  return x.map(([campaign, reason]) => `${campaign} ${reason}`).join(", ");
}

function fieldsOf(award: StoredAward): Fields {
  const [
    ,
    version,
    priority,
    rateBps,
    multiplierBps,
    orderCap,
    lines,
    base,
    earned,
    afterOrderCap,
    afterCustomerCap,
    afterBudget,
    awarded,
    current,
    lot,
  ] = award;
  return {
    version,
    priority,
    rateBps,
    multiplierBps,
    orderCap: amountOf(orderCap),
    lines: lines.join(","),
    base: amountOf(base),
    earned: amountOf(earned),
    afterOrderCap: amountOf(afterOrderCap),
    afterCustomerCap: amountOf(afterCustomerCap),
    afterBudget: amountOf(afterBudget),
    awarded: amountOf(awarded),
    current: amountOf(current),
    lot,
  };
}

function amountOf(amount: number | string | null): bigint | null {
  return amount === null ? null : BigInt(amount);
}

/** What a refund put back and clawed back. */
export function compareClawbacks(
  expected: RefundExtra,
  row: CashbackRefundRow,
  campaignId: (campaign: number) => string,
): { readonly problem: "changed"; readonly expected: Fields; readonly found: Fields }[] {
  const text = (clawbacks: readonly StoredClawback[]) => clawbacks.map((one) => shownClawback(one, campaignId)).join("; ");
  const differing = differingFields(
    { putBack: expected.put_back, clawbacks: text(expected.clawbacks) },
    { putBack: row.put_back ?? 0n, clawbacks: text(row.clawbacks ?? []) },
  );
  return differing === null ? [] : [{ problem: "changed", ...differing }];
}

function shownClawback(
  [campaign, amount, pending, available, expired, others, debt, writtenOff]: StoredClawback,
  campaignId: (campaign: number) => string,
) {
  const parts = { pending, available, expired, others, debt, writtenOff };
  const from = Object.entries(parts)
    .filter(([, part]) => String(part) !== "0")
    .map(([name, part]) => `${name} ${part}`);
  return `${nameOf(campaignId, campaign)} ${amount} (${from.join(", ")})`;
}
