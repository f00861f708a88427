import { differingFields, type Fields, shownAt, type TellCustomer } from "@perkstream/verify";
import type { Redemption } from "../domain/index.ts";
import { type RedemptionRow, redemptionStatuses } from "../store/redemptions.ts";
import type { OwnedPartRow } from "./rows.ts";

/** Redemptions by their ids, and what they took from which lots. */
export function compareRedemptions(
  merchant: number,
  expected: ReadonlyMap<string, Redemption>,
  rows: readonly RedemptionRow[],
  parts: readonly OwnedPartRow[],
  tell: TellCustomer,
): void {
  const partsBySeq = Map.groupBy(parts, (part) => Number(part.redemption));
  const left = new Map(expected);
  for (const row of rows) {
    const redemption = left.get(row.redemption_id);
    left.delete(row.redemption_id);
    const found = foundRedemption(row, partsBySeq.get(Number(row.seq)) ?? []);
    const where = { redemption: row.redemption_id };
    if (redemption === undefined) tell({ thing: "redemption", problem: "unexpected", where, expected: null, found });
    else {
      const differing = differingFields(redemptionFields(merchant, redemption), found);
      if (differing !== null) tell({ thing: "redemption", problem: "changed", where, ...differing });
    }
  }
  for (const redemption of left.values()) {
    const where = { redemption: redemption.redemptionId };
    tell({ thing: "redemption", problem: "missing", where, expected: redemptionFields(merchant, redemption), found: null });
  }
}

function redemptionFields(merchant: number, redemption: Redemption): Fields {
  return {
    sequence: redemption.sequence,
    merchant,
    order: redemption.orderId,
    amount: redemption.amountMinor,
    status: redemption.status,
    createdAt: shownAt(redemption.createdAt),
    expiresAt: shownAt(redemption.expiresAt),
    parts: redemption.parts.map(({ lot, amountMinor }) => `lot ${lot.lotId}: ${amountMinor}`).join(", "),
    restored: redemption.parts.map(({ restoredMinor }) => restoredMinor).join(", "),
  };
}

function foundRedemption(row: RedemptionRow, parts: readonly OwnedPartRow[]): Fields {
  return {
    sequence: Number(row.seq),
    merchant: row.merchant,
    order: row.order_id,
    amount: row.amount,
    status: redemptionStatuses[row.status] ?? row.status,
    createdAt: shownAt(row.created_at.getTime()),
    expiresAt: shownAt(row.expires_at?.getTime() ?? null),
    parts: parts.map(({ lot, amount }) => `lot ${lot}: ${amount}`).join(", "),
    restored: parts.map(({ restored }) => restored).join(", "),
  };
}
