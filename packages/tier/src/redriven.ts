import type { OrderEntry } from "@perkstream/orders";
import type { AppliedStep, ChunkContext } from "@perkstream/program";
import type { TierWork } from "./decide.ts";

/**
 * Stores with an order that was read once more by which version of the ladder it was counted, since its own offset does
 * not tell; cashback asks for it (levels.ts). What is stored with the step is in docs/programs.md, "What can be recomputed".
 */
export async function redriven(
  { tx }: ChunkContext,
  work: TierWork,
  { event, record }: OrderEntry,
): Promise<Pick<AppliedStep, "customer" | "asOf" | "detail">> {
  const merchant = work.merchants.get(event.merchantId)?.id ?? 0;
  const booked = work.orders.find(merchant, event.orderId);
  // Parked: nothing of a customer was touched.
  if (booked === undefined) return { customer: 0, asOf: record.timestamp, detail: null };
  const { acct, state } = work.customerByAcct(booked.order.place.acct);
  const step = { customer: acct, asOf: state.lastAsOf ?? record.timestamp };
  if (event.type !== "OrderPlaced") return { ...step, detail: null };
  const { level_before: levelBefore, level_after: levelAfter } = booked.extra;
  await tx.unsafe(
    `UPDATE tier."order" SET ladder = $3 WHERE merchant = $1 AND order_id = $2`,
    [merchant, event.orderId, state.ladderVersion],
    {
      prepare: true,
    },
  );
  return { ...step, detail: { levelBefore, levelAfter, ladder: state.ladderVersion } };
}
