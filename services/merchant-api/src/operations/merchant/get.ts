import { operation, reply } from "../../operation.ts";
import { merchantShape } from "../../schemas/merchant.ts";
import { showMerchant } from "./show.ts";

export const getMerchant = operation({
  method: "get",
  path: "/v1/merchant",
  tag: "Merchant",
  summary: "The merchant of the credentials",
  access: { kind: "merchant", role: "viewer" },
  replies: { 200: { description: "The merchant", schema: merchantShape } },
  handle: async ({ principal }) => reply(200, showMerchant(principal.merchant)),
});
