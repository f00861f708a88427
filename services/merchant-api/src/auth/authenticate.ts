import { createHash, timingSafeEqual } from "node:crypto";
import type { ApiKeyHolder, Merchant } from "@perkstream/merchant";
import { Refusal } from "../errors.ts";
import type { Principal } from "./principal.ts";
import type { Tokens } from "./tokens.ts";

export interface Authenticator {
  readonly tokens: Tokens;
  /** Opens POST /v1/merchants; null when there is none. */
  readonly bootstrapKey: string | null;
  /** The holder of a key that is not revoked; notes its last use. */
  findKey(key: string): Promise<ApiKeyHolder | null>;
  findMerchant(merchantId: string): Promise<Merchant | null>;
}

const unauthenticated = (detail: string): Refusal => new Refusal("unauthenticated", detail, [], { "www-authenticate": "Bearer" });

/** Who sends the request. `X-Api-Key` goes before `Authorization` when both are there. */
export async function authenticate(headers: Headers, by: Authenticator): Promise<Principal | Refusal> {
  const key = headers.get("x-api-key");
  return key === null ? authenticateToken(headers.get("authorization"), by) : authenticateKey(key, by);
}

async function authenticateToken(authorization: string | null, by: Authenticator): Promise<Principal | Refusal> {
  if (authorization === null) return unauthenticated("send Authorization: Bearer <token> or X-Api-Key");
  const bearer = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization)?.[1];
  if (bearer === undefined) return unauthenticated("Authorization must be Bearer with a JWT");
  const token = await by.tokens.verify(bearer);
  if (token === null) return unauthenticated("the token does not hold: signature, algorithm, audience, expiry or claims");
  const { merchantId } = token;
  const merchant = await by.findMerchant(merchantId);
  if (merchant === null) return unauthenticated("the token names no merchant of this installation");
  if (token.audience === "customer") {
    return { kind: "customer", merchant, customerId: token.customerId, credential: `customer:${merchantId}:${token.customerId}` };
  }
  return { kind: "merchant", merchant, role: token.role, actor: token.sub, credential: `token:${merchantId}:${token.sub}` };
}

async function authenticateKey(key: string, by: Authenticator): Promise<Principal | Refusal> {
  if (by.bootstrapKey !== null && sameText(key, by.bootstrapKey)) return { kind: "bootstrap", credential: "bootstrap" };
  const holder = await by.findKey(key);
  const merchant = holder === null ? null : await by.findMerchant(holder.merchantId);
  if (holder === null || merchant === null) return unauthenticated("the API key is unknown or revoked");
  return { kind: "merchant", merchant, role: holder.role, actor: holder.name, credential: `key:${holder.id}` };
}

/** Compares without telling by its time how much was right. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
