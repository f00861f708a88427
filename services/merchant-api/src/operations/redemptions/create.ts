import { randomUUID } from "node:crypto";
import { operation, reply } from "../../operation.ts";
import { redemptionBody, redemptionShape } from "../../schemas/redemption.ts";
import { audit, write } from "../../write.ts";
import { refuseRedemption, requireRedemption, underCustomerLock } from "./command.ts";

export const createRedemption = operation({
  method: "post",
  path: "/v1/redemptions",
  tag: "Redemptions",
  summary: "Reserves cashback, or redeems it in one step",
  description: "The lot that expires next is used first. A reservation lapses at its time; a commit at that instant is refused.",
  access: { kind: "merchant", role: "operator" },
  command: true,
  body: redemptionBody,
  idempotent: true,
  replies: { 201: { description: "Reserved, or committed", schema: redemptionShape } },
  errors: ["insufficient_balance"],
  async handle(call) {
    const { deps, principal, body } = call;
    const { merchant } = principal;
    const { customerId, amountMinor, orderId } = body;
    const partition = deps.partitionOf(merchant.merchantId, customerId);
    const request = { customerId, redemptionId: randomUUID(), amountMinor, orderId };
    return write(call, async (tx) => {
      const outcome = await underCustomerLock(call, tx, partition, (commands, held, command) =>
        body.commit
          ? commands.redeem(held, { ...command, ...request })
          : commands.reserve(held, { ...command, ...request }, (body.ttlSeconds ?? 0) * 1_000),
      );
      if (typeof outcome === "string") return refuseRedemption(outcome);
      const view = await requireRedemption(tx, merchant, request.redemptionId);
      await audit(tx, call, principal, { action: "redemption.create", target: request.redemptionId, before: null, after: view });
      return reply(201, view);
    });
  },
});
