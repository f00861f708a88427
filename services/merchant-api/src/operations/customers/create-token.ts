import { z } from "@hono/zod-openapi";
import { limits } from "../../http/limits.ts";
import { operation, reply } from "../../operation.ts";
import { customerParams, customerToken } from "../../schemas/customer.ts";
import { iso } from "../../schemas/time.ts";
import { defaulting, int4 } from "../../schemas/values.ts";

const { min, max } = limits.customerTokenSeconds;

export const createCustomerToken = operation({
  method: "post",
  path: "/v1/customers/{customerId}/tokens",
  tag: "Customers",
  summary: "A short token with which the customer's app connects",
  description: "Opens `/v1/me…` and the notifier at `url`. Its clock is never `Perks-Now`.",
  access: { kind: "merchant", role: "operator" },
  params: customerParams,
  body: z.object({ ttlSeconds: defaulting(int4(min).max(max), max) }),
  replies: { 201: { description: "The token", schema: customerToken } },
  async handle({ deps, principal, params: { customerId }, body: { ttlSeconds } }) {
    const claims = { merchantId: principal.merchant.merchantId, customerId, ttlSeconds, nowMs: deps.clock() };
    const { token, expiresAt } = await deps.authenticator.tokens.signCustomer(claims);
    return reply(201, { token, expiresAt: iso(expiresAt), url: `${deps.notifierOrigin}/v1/connect` });
  },
});
