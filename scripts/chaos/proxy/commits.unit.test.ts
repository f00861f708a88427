import { describe, expect, test } from "vitest";
import { CommitAnswers, CommitRequests } from "./commits.ts";

function message(type: string, body: string): Buffer {
  const bytes = Buffer.from(body);
  const head = Buffer.alloc(type.length + 4);
  head.write(type);
  head.writeUInt32BE(bytes.length + 4, type.length);
  return Buffer.concat([head, bytes]);
}

const rows = Buffer.concat([
  message("2", ""),
  message("D", `row with COMMIT\0 in it and C${"x".repeat(300)}`),
  message("C", "SELECT 1000000\0"),
  message("Z", "I"),
]);
const committed = Buffer.concat([message("2", ""), message("C", "COMMIT\0"), message("Z", "I")]);
const startup = message("", "\0\x03\0\0user\0somebody\0\0");
const bindCommit = Buffer.concat([message("B", "\0s2\0\0\0"), message("E", "\0\0\0\0\0"), message("S", "")]);
const others = Buffer.concat([
  message("P", "s1\0INSERT INTO t SELECT 'commit'\0\0\0"),
  message("B", `\0s1\0${"commit\0".repeat(100)}`),
  message("S", ""),
]);
const asked = Buffer.concat([startup, others, message("P", "s2\0commit\0\0\0"), others]);

function seenOf(watch: { sees(chunk: Buffer): boolean }, chunks: readonly Buffer[]): number {
  return chunks.filter((chunk) => watch.sees(chunk)).length;
}
const bytesOf = (chunk: Buffer) => Array.from(chunk, (byte) => Buffer.of(byte));

describe("answers to COMMIT", () => {
  test("are seen wherever they are cut", () => {
    for (let cut = 0; cut <= committed.length; cut++)
      expect(seenOf(new CommitAnswers(), [rows, committed.subarray(0, cut), committed.subarray(cut), rows])).toBe(1);
    expect(seenOf(new CommitAnswers(), bytesOf(Buffer.concat([rows, committed, rows, committed])))).toBe(2);
  });

  test("a rollback is none", () => {
    expect(new CommitAnswers().sees(message("C", "ROLLBACK\0"))).toBe(false);
  });
});

describe("requests to COMMIT", () => {
  test("by a prepared statement", () => {
    const watch = new CommitRequests();
    expect(watch.sees(asked)).toBe(false);
    expect([bindCommit, others, bindCommit].map((chunk) => watch.sees(chunk))).toEqual([true, false, true]);
    expect(seenOf(new CommitRequests(), bytesOf(Buffer.concat([asked, bindCommit, others, bindCommit])))).toBe(2);
  });

  test("by a simple query", () => {
    const watch = new CommitRequests();
    watch.sees(startup);
    expect(watch.sees(message("Q", "COMMIT\0"))).toBe(true);
    expect(watch.sees(message("Q", "SELECT 1\0"))).toBe(false);
  });

  test("a name that is prepared anew as something else is none", () => {
    const watch = new CommitRequests();
    watch.sees(asked);
    watch.sees(message("P", "s2\0SELECT 1\0\0\0"));
    expect(watch.sees(bindCommit)).toBe(false);
  });
});
