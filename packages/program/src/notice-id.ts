import { hash } from "node:crypto";

/** The DNS namespace of RFC 9562; any fixed one would do. */
const NAMESPACE = Buffer.from("6ba7b8109dad11d180b400c04fd430c8", "hex");

// Ids are made for every notification: one buffer is filled again and again, and hashed by one call.
const scratch = Buffer.alloc(2_048);
NAMESPACE.copy(scratch);

const VARIANT = "89ab";

/** UUIDv5 (RFC 9562) of a name in the DNS namespace. Names are at most 2,032 bytes. */
export function uuidV5(name: string): string {
  if (name.length * 3 > scratch.length - NAMESPACE.length) throw new RangeError("a name for a UUID is too long");
  const length = NAMESPACE.length + scratch.write(name, NAMESPACE.length, "utf8");
  const hex = hash("sha1", scratch.subarray(0, length), "hex");
  // Version 5 and the variant, in the digits that they stand in; a Buffer and its text cost more than the hash.
  const variant = VARIANT[Number.parseInt(hex[16]!, 16) & 3]!;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/**
 * The id of a notification: UUIDv5 of its cause. The same cause gives the same id, whoever publishes it and however
 * often, so the inbox can drop repeats.
 *
 * @param cause `orders.v1/<partition>:<offset>`, the id of a stored command, or a lot or level with its due moment
 * @param n number among the notifications of that type and cause, from 0
 */
export function noticeId(program: string, type: string, merchantId: string, customerId: string, cause: string, n = 0): string {
  return uuidV5(`${program}\n${type}\n${merchantId}\n${customerId}\n${cause}\n${n}`);
}
