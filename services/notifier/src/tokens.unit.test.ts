import { SignJWT } from "jose";
import { expect, test } from "vitest";
import { admin } from "./http/admin.ts";
import type { Request } from "./http/answer.ts";
import { openTokens } from "./tokens.ts";

const secret = "a secret of at least thirty-two bytes";
const merchant = "4f981b0b-accf-4eb7-8018-7cd651c7e907";
const tokens = openTokens({ secret });

function sign(audience: string, claims: object, sub: string): Promise<string> {
  return new SignJWT({ merchant, ...claims })
    .setProtectedHeader({ alg: "HS256" })
    .setAudience(audience)
    .setSubject(sub)
    .setExpirationTime("5m")
    .sign(new TextEncoder().encode(secret));
}

const ids: readonly (readonly [string, boolean])[] = [
  ["😀".repeat(64), true],
  ["😀".repeat(65), false],
  ["c".repeat(65), false],
];

test.each(ids)("a token's customer has at most 64 characters, a pair of surrogates is one (case %#)", async (customerId, fits) => {
  const claims = await tokens.customer(await sign("perkstream-customer", {}, customerId));
  expect(claims?.customerId).toBe(fits ? customerId : undefined);
});

test.each(ids)("so has the customer in the path of presence (case %#)", async (customerId, fits) => {
  const authorization = `Bearer ${await sign("perkstream-merchant", { role: "viewer" }, "m")}`;
  const path = `/v1/presence/${encodeURIComponent(customerId)}`;
  const request: Request = { method: "get", path, host: "", origin: "", authorization, requestId: "r" };
  const answer = await admin(request, tokens, { connectionsOf: async () => [], disconnect: async () => 0 });
  expect(answer?.status).toBe(fits ? 200 : 400);
});
