/** What the client needs of a customer token. It is not verified here: the server does that. */
export interface Claims {
  /** `merchant:customer`, percent-encoded: whose notifications these are, and the key of the stored cursor. */
  owner: string;
  /** Expiry in ms since 1970; undefined when the token has none. */
  expiresAt: number | undefined;
}

/** Reads a JWT's payload; throws a TypeError on text that is not a JWT, which would be refused by every server. */
export function readClaims(token: string): Claims {
  const part = token.split(".")[1];
  if (part === undefined) throw new TypeError("The customer token is not a JWT");
  const bytes = Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const claims = JSON.parse(new TextDecoder().decode(bytes)) as { merchant?: unknown; sub?: unknown; exp?: unknown };
  return {
    owner: [claims.merchant, claims.sub].map((id) => encodeURIComponent(String(id))).join(":"),
    expiresAt: typeof claims.exp === "number" ? claims.exp * 1000 : undefined,
  };
}
