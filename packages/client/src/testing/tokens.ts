/** A customer token as the client sees one; the signature is nobody's. `expiresAt` in ms since 1970. */
export function fakeToken(claims: { merchant?: string; sub?: string; expiresAt?: number; n?: number }): string {
  const { merchant = "m1", sub = "c1", expiresAt, n } = claims;
  const payload = { merchant, sub, n, exp: expiresAt === undefined ? undefined : Math.floor(expiresAt / 1000) };
  return `e30.${Buffer.from(JSON.stringify(payload)).toString("base64url")}.sig`;
}
