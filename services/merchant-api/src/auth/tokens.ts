import type { Role } from "@perkstream/merchant";
import { createRemoteJWKSet, decodeProtectedHeader, errors as joseErrors, jwtVerify, SignJWT, type JWTPayload } from "jose";
import { OutageError } from "../errors.ts";
import { isRole } from "./principal.ts";

const merchantAudience = "perkstream-merchant";
const customerAudience = "perkstream-customer";

export interface TokenSettings {
  /** Signs and verifies HS256; at least 32 bytes. */
  readonly secret: string;
  /** Adds merchant tokens by RS256 or ES256 of this issuer; never customer tokens. */
  readonly jwks: { readonly url: string; readonly issuer: string } | null;
}

export type VerifiedToken =
  | { readonly audience: "merchant"; readonly merchantId: string; readonly role: Role; readonly sub: string }
  | { readonly audience: "customer"; readonly merchantId: string; readonly customerId: string };

export interface Tokens {
  /** Null when the token does not hold: signature, algorithm, audience, expiry or a claim. */
  verify(token: string): Promise<VerifiedToken | null>;
  signMerchant(claims: { merchantId: string; role: Role; sub: string; ttlSeconds: number; nowMs: number }): Promise<string>;
  signCustomer(claims: {
    merchantId: string;
    customerId: string;
    ttlSeconds: number;
    nowMs: number;
  }): Promise<{ token: string; expiresAt: number }>;
}

const MIN_SECRET_BYTES = 32;

/** The secret is always required: it signs the customer tokens. Throws a RangeError when it is short. */
export function openTokens(settings: TokenSettings): Tokens {
  const secret = new TextEncoder().encode(settings.secret);
  if (secret.length < MIN_SECRET_BYTES) throw new RangeError(`the token secret must have at least ${MIN_SECRET_BYTES} bytes`);
  const jwks = settings.jwks === null ? null : { keys: createRemoteJWKSet(new URL(settings.jwks.url)), issuer: settings.jwks.issuer };

  const requiredClaims = ["exp", "aud", "merchant", "sub"];
  const verifyOwn = async (token: string): Promise<JWTPayload> =>
    (await jwtVerify(token, secret, { requiredClaims, algorithms: ["HS256"], audience: [merchantAudience, customerAudience] })).payload;
  const verifyByKeySet = async (token: string, by: NonNullable<typeof jwks>): Promise<JWTPayload> => {
    try {
      const pinned = { requiredClaims, algorithms: ["RS256", "ES256"], issuer: by.issuer, audience: merchantAudience };
      return (await jwtVerify(token, by.keys, pinned)).payload;
    } catch (error) {
      if (isKeySetOutage(error)) throw new OutageError("the key set cannot be fetched", { cause: error });
      throw error;
    }
  };

  const sign = (claims: JWTPayload, audience: string, issuedAt: number, expiresAt: number): Promise<string> =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setAudience(audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .sign(secret);

  const verified = new VerifiedCache();
  return {
    async verify(token) {
      const known = verified.get(token);
      if (known !== undefined) return known;
      try {
        const foreign = jwks !== null && algorithmOf(token) !== "HS256" ? jwks : null;
        const payload = await (foreign === null ? verifyOwn(token) : verifyByKeySet(token, foreign));
        const claims = readClaims(payload);
        if (claims !== null) verified.set(token, claims, payload.exp ?? 0);
        return claims;
      } catch (error) {
        if (error instanceof OutageError) throw error;
        return null;
      }
    },
    signMerchant({ merchantId, role, sub, ttlSeconds, nowMs }) {
      const issuedAt = Math.floor(nowMs / 1_000);
      return sign({ merchant: merchantId, role, sub }, merchantAudience, issuedAt, issuedAt + ttlSeconds);
    },
    async signCustomer({ merchantId, customerId, ttlSeconds, nowMs }) {
      const issuedAt = Math.floor(nowMs / 1_000);
      const token = await sign({ merchant: merchantId, sub: customerId }, customerAudience, issuedAt, issuedAt + ttlSeconds);
      return { token, expiresAt: (issuedAt + ttlSeconds) * 1_000 };
    },
  };
}

const MAX_VERIFIED = 2_000;

/** Tokens that held, until they expire: a client sends the same one with every request. The oldest goes when it is full. */
class VerifiedCache {
  readonly #claims = new Map<string, { readonly token: VerifiedToken; readonly expiresAt: number }>();

  get(token: string): VerifiedToken | undefined {
    const known = this.#claims.get(token);
    if (known === undefined || known.expiresAt > Date.now()) return known?.token;
    this.#claims.delete(token);
    return undefined;
  }

  set(token: string, claims: VerifiedToken, expiresAtSeconds: number): void {
    this.#claims.set(token, { token: claims, expiresAt: expiresAtSeconds * 1_000 });
    const [oldest] = this.#claims.keys();
    if (this.#claims.size > MAX_VERIFIED && oldest !== undefined) this.#claims.delete(oldest);
  }
}

/** jose tells a failed fetch by TypeError, a late one by JWKSTimeout and an answer other than 200 by its generic error. */
function isKeySetOutage(error: unknown): boolean {
  if (error instanceof joseErrors.JOSEError) return error.code === "ERR_JWKS_TIMEOUT" || error.code === "ERR_JOSE_GENERIC";
  return error instanceof TypeError;
}

function algorithmOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).alg;
  } catch {
    return undefined;
  }
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const MAX_NAME_CHARACTERS = 256;

/** A customer's id or the actor of histories: text that Postgres can hold. */
function isName(sub: string): boolean {
  return sub !== "" && sub.length <= MAX_NAME_CHARACTERS && !sub.includes("\u0000") && sub.isWellFormed();
}

function readClaims(payload: JWTPayload): VerifiedToken | null {
  const merchantId = payload["merchant"];
  const { aud, sub } = payload;
  if (typeof merchantId !== "string" || !uuid.test(merchantId) || sub === undefined || !isName(sub)) return null;
  // One audience only: a token for both would let a customer act as the merchant.
  const audience = Array.isArray(aud) ? (aud.length === 1 ? aud[0] : null) : aud;
  if (audience === customerAudience) return { audience: "customer", merchantId, customerId: sub };
  const role = payload["role"];
  if (audience !== merchantAudience || !isRole(role)) return null;
  return { audience: "merchant", merchantId, role, sub };
}
