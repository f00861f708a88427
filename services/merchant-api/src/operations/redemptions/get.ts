import { findRedemptionView } from "@perkstream/cashback";
import { operation, reply } from "../../operation.ts";
import { redemptionParams, redemptionShape } from "../../schemas/redemption.ts";
import { refuseRedemption } from "./command.ts";

export const getRedemption = operation({
  method: "get",
  path: "/v1/redemptions/{redemptionId}",
  tag: "Redemptions",
  summary: "One redemption with the lots that it uses",
  access: { kind: "merchant", role: "viewer" },
  params: redemptionParams,
  replies: { 200: { description: "The redemption", schema: redemptionShape } },
  errors: ["not_found"],
  async handle({ deps, principal: { merchant }, params: { redemptionId } }) {
    const view = await findRedemptionView(deps.sql, merchant.id, redemptionId);
    return view === undefined ? refuseRedemption("not_found") : reply(200, view);
  },
});
