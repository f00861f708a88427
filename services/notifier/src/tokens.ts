import { isCustomerId, isUuid, type Customer } from "@perkstream/inbox";
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify, type JWTPayload } from "jose";

export interface TokenSettings {
  /** HS256, at least 32 bytes: customer tokens, and merchant tokens. */
  readonly secret: string;
  /** Adds merchant tokens of this issuer by RS256 or ES256; never customer tokens. */
  readonly jwks?: { readonly url: string; readonly issuer: string };
}

export interface CustomerClaims extends Customer {
  /** ms since 1970 */
  readonly expiresAt: number;
}

export type Role = "viewer" | "operator" | "owner";

export interface MerchantClaims {
  readonly merchant: string;
  readonly role: Role;
}

export interface Tokens {
  /** Null when the token does not hold. */
  customer(token: string): Promise<CustomerClaims | null>;
  merchant(token: string): Promise<MerchantClaims | null>;
}

const customerAudience = "perkstream-customer";
const merchantAudience = "perkstream-merchant";
const minSecretBytes = 32;
/** A customer token lives 15 minutes at most; a minute more for clocks that differ. */
const maxLifetimeSeconds = 15 * 60 + 60;
const roles: readonly unknown[] = ["viewer", "operator", "owner"] satisfies Role[];

/** @throws RangeError when the secret is short */
export function openTokens(settings: TokenSettings): Tokens {
  const secret = new TextEncoder().encode(settings.secret);
  if (secret.length < minSecretBytes) throw new RangeError(`the token secret must have at least ${minSecretBytes} bytes`);
  const keySet = settings.jwks === undefined ? null : createRemoteJWKSet(new URL(settings.jwks.url));
  const requiredClaims = ["exp", "aud", "merchant", "sub"];

  const byToken = async (token: string, audience: string): Promise<JWTPayload | null> => {
    try {
      if (audience === merchantAudience && keySet !== null && decodeProtectedHeader(token).alg !== "HS256") {
        const pinned = { algorithms: ["RS256", "ES256"], audience, issuer: settings.jwks!.issuer, requiredClaims };
        return (await jwtVerify(token, keySet, pinned)).payload;
      }
      return (await jwtVerify(token, secret, { algorithms: ["HS256"], audience, requiredClaims })).payload;
    } catch {
      return null;
    }
  };

  return {
    async customer(token) {
      const payload = await byToken(token, customerAudience);
      return payload === null ? null : customerClaims(payload, Date.now());
    },
    async merchant(token) {
      const payload = await byToken(token, merchantAudience);
      return payload === null ? null : merchantClaims(payload);
    },
  };
}

function customerClaims(payload: JWTPayload, now: number): CustomerClaims | null {
  const { merchant, sub, exp } = payload;
  if (hasSeveralAudiences(payload) || typeof merchant !== "string" || !isUuid(merchant)) return null;
  if (sub === undefined || !isCustomerId(sub)) return null;
  if (exp === undefined || exp - now / 1_000 > maxLifetimeSeconds) return null;
  return { merchant, customerId: sub, expiresAt: exp * 1_000 };
}

function merchantClaims(payload: JWTPayload): MerchantClaims | null {
  const { merchant, role } = payload;
  if (hasSeveralAudiences(payload) || typeof merchant !== "string" || !isUuid(merchant)) return null;
  return isRole(role) ? { merchant, role } : null;
}

/** A token for both audiences would let a customer act as the merchant. */
function hasSeveralAudiences(payload: JWTPayload): boolean {
  return Array.isArray(payload.aud) && payload.aud.length !== 1;
}

function isRole(value: unknown): value is Role {
  return roles.includes(value);
}
