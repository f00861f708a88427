import { findRedemptionView } from "@perkstream/cashback";
import { Refusal } from "../../errors.ts";
import { write } from "../../write.ts";
import { onRedemption, type RedemptionCall, refuseRedemption } from "../redemptions/command.ts";
import type { OrderCommand } from "./events.ts";

/**
 * What of an order is paid with cashback: the amount of its redemption, which is linked to the order first. The link is
 * committed, as a command of its own, before the order is produced; the same link again changes nothing (protocols.md 20).
 * 404 for an unknown redemption; 409 for another customer's, or one that is released, lapsed or names another order.
 */
export async function paidBy(call: RedemptionCall, order: OrderCommand): Promise<bigint | Refusal> {
  const { redemptionId } = order;
  if (redemptionId === null) return 0n;
  const { deps, principal, requestId } = call;
  const view = await findRedemptionView(deps.sql, principal.merchant.id, redemptionId);
  if (view === undefined) return refuseRedemption("not_found");
  if (view.customerId !== order.customerId) return refuseRedemption("not_reserved");
  const linked = await write({ deps, requestId, idempotency: null }, async (tx) => {
    const outcome = await onRedemption(call, tx, redemptionId, (commands, held, command) =>
      commands.link(held, command, redemptionId, order.orderId),
    );
    if (typeof outcome === "string") return refuseRedemption(outcome);
    const pays = outcome.status === "reserved" || outcome.status === "committed";
    return pays ? { status: 200, body: null } : refuseRedemption("not_reserved");
  });
  return linked instanceof Refusal ? linked : BigInt(view.amountMinor);
}
