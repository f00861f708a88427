import { refuse, type Refusal } from "../../errors.ts";
import type { OrderCommand } from "./events.ts";

/**
 * What of an order is paid with cashback: the amount of its redemption.
 * There are no redemptions yet, so none can be named.
 */
export async function paidBy(_call: object, order: OrderCommand): Promise<bigint | Refusal> {
  return order.redemptionId === null ? 0n : refuse("not_found", `there is no redemption ${order.redemptionId}`);
}
