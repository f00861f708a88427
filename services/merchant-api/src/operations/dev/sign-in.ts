import { z } from "@hono/zod-openapi";
import { roles } from "../../auth/principal.ts";
import { devMerchantId } from "../../dev-merchant.ts";
import { refuse } from "../../errors.ts";
import { limits } from "../../http/limits.ts";
import { operation, reply } from "../../operation.ts";
import { defaulting, optional, text, uuid, uuidOut } from "../../schemas/values.ts";

export const signIn = operation({
  method: "post",
  path: "/v1/dev/sign-in",
  tag: "Development",
  summary: "A merchant token without a password",
  access: { kind: "anybody" },
  body: z.object({ merchantId: defaulting(uuid, devMerchantId), role: defaulting(z.enum(roles), "owner"), sub: optional(text(64, 1)) }),
  replies: { 200: { description: "Signed in", schema: z.object({ token: z.string(), merchantId: uuidOut }) } },
  errors: ["not_found"],
  developmentOnly: true,
  async handle({ deps, body: { merchantId, role, sub } }) {
    if ((await deps.authenticator.findMerchant(merchantId)) === null) return refuse("not_found", `there is no merchant ${merchantId}`);
    const claims = { merchantId, role, sub: sub ?? role, ttlSeconds: limits.signInTokenSeconds, nowMs: deps.clock() };
    return reply(200, { token: await deps.authenticator.tokens.signMerchant(claims), merchantId });
  },
});
