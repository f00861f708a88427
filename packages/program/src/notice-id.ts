import { createHash } from "node:crypto";

/** Any fixed namespace would do; this is the DNS one of RFC 9562, appendix. */
const NAMESPACE = Buffer.from("6ba7b8109dad11d180b400c04fd430c8", "hex");

/**
 * The id of a notification: UUIDv5 (RFC 9562) of its cause. The same cause gives the same id, whoever publishes it
 * and however often, so the inbox can drop repeats.
 *
 * @param cause `orders.v1/<partition>:<offset>`, the id of a stored command, or a lot or level with its due moment
 * @param n number among the notifications of that type and cause, from 0
 */
export function noticeId(program: string, type: string, merchantId: string, customerId: string, cause: string, n = 0): string {
  const hash = createHash("sha1")
    .update(NAMESPACE)
    .update(`${program}\n${type}\n${merchantId}\n${customerId}\n${cause}\n${n}`)
    .digest();
  hash[6] = (hash[6]! & 0x0f) | 0x50;
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  const hex = hash.toString("hex", 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
