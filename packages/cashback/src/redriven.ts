import type { OrderEntry } from "@perkstream/orders";
import type { AppliedStep } from "@perkstream/program";
import type { CashbackWork } from "./work.ts";

/**
 * What is stored with a record that was read once more (docs/programs.md, "What can be recomputed"): of an order the level that
 * paid it, since its offset does not tell.
 */
export function redriven(work: CashbackWork, { event, record }: OrderEntry): Pick<AppliedStep, "customer" | "asOf" | "detail"> {
  const merchant = work.merchant(event.merchantId).merchant.id;
  const state = work.account(merchant, event.customerId);
  // Parked: nothing of a customer was touched.
  if (state === undefined || work.orders.find(merchant, event.orderId) === undefined) {
    return { customer: 0, asOf: record.timestamp, detail: null };
  }
  const step = { customer: state.customer.acct, asOf: state.customer.lastAsOf };
  if (event.type !== "OrderPlaced") return { ...step, detail: null };
  const level = work.levels.get(`${record.partition}:${record.offset}`) ?? { levelId: null, multiplierBps: 10_000 };
  return { ...step, detail: { levelId: level.levelId, multiplierBps: level.multiplierBps } };
}
