import { operation, reply } from "../../operation.ts";
import { redemptionParams, redemptionShape } from "../../schemas/redemption.ts";
import { audit, write } from "../../write.ts";
import { onRedemption, refuseRedemption, requireRedemption } from "./command.ts";

export const commitRedemption = operation({
  method: "post",
  path: "/v1/redemptions/{redemptionId}/commit",
  tag: "Redemptions",
  summary: "Spends what is reserved",
  access: { kind: "merchant", role: "operator" },
  command: true,
  params: redemptionParams,
  idempotent: true,
  replies: { 200: { description: "The redemption after it", schema: redemptionShape } },
  errors: ["not_found", "not_reserved"],
  async handle(call) {
    const { principal, params } = call;
    return write(call, async (tx) => {
      const outcome = await onRedemption(call, tx, params.redemptionId, (commands, held, command) =>
        commands.commit(held, command, params.redemptionId),
      );
      if (typeof outcome === "string") return refuseRedemption(outcome);
      const view = await requireRedemption(tx, principal.merchant, params.redemptionId);
      await audit(tx, call, principal, { action: "redemption.commit", target: params.redemptionId, before: null, after: view });
      return reply(200, view);
    });
  },
});
