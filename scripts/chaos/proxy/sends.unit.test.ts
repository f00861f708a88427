import { expect, test } from "vitest";
import { SendRequests } from "./sends.ts";

/** A request with this key of the API, this client and a body of so many bytes. */
function request(key: number, client: string | null, bodyBytes: number): Buffer {
  const id = Buffer.from(client ?? "");
  const bytes = Buffer.alloc(14 + id.length + bodyBytes, 0xff);
  bytes.writeInt32BE(bytes.length - 4, 0);
  bytes.writeInt16BE(key, 4);
  bytes.writeInt16BE(client === null ? -1 : id.length, 12);
  id.copy(bytes, 14);
  return bytes;
}

const stream = Buffer.concat([
  request(3, "tier-1", 40),
  request(0, "tier-1", 3_000),
  request(1, null, 0),
  request(0, "", 5),
  request(18, "tier-1", 0),
]);

test.each([1, 2, 3, 7, 13, 14, 15, 64, 4_096])("sees sends and whose they are in pieces of %i bytes", (size) => {
  const reader = new SendRequests();
  const seen: (string | null)[] = [];
  for (let at = 0; at < stream.length; at += size) seen.push(reader.sees(stream.subarray(at, at + size)));
  const found = seen.filter((client) => client !== null);
  // Of several sends in one piece the last counts: a connection is one client's.
  expect(found).toEqual(size === 4_096 ? [""] : ["tier-1", ""]);
});
