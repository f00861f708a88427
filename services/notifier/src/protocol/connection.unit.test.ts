import { beforeEach, describe, expect, test } from "vitest";
import { Connection, type Effect } from "./connection.ts";

const limits = { frameBytes: 4_096, framesPerSecond: 10, helloMs: 5_000, heldBytes: 100 };
const start = 1_000_000;
// On the monotonic clock.
const opened = 500;
let connection: Connection;
let at: number;

beforeEach(() => {
  at = opened;
  connection = new Connection({ session: "s", key: "m:c", partition: 3, expiresAt: start + 60_000, openedAt: opened }, limits);
});

const say = (frame: unknown): readonly Effect[] => {
  const text = typeof frame === "string" ? frame : JSON.stringify(frame);
  return connection.frame(text, Buffer.byteLength(text), (at += 200));
};
const tick = (ms: number) => connection.tick(start + ms, opened + ms);
const closes = (reason: string) => [{ do: "close", reason }];
const sends = (...frames: string[]) => frames.map((frame) => ({ do: "send", frame }));
const framesOf = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.do === "send" ? [JSON.parse(effect.frame) as unknown] : []));

function goLive(from = -1): void {
  say({ t: "hello", device: "d" });
  connection.welcome(from, false);
  while (connection.nextHeld() !== undefined);
}

describe("hello", () => {
  test("joins, with or without a cursor", () => {
    expect(say({ t: "hello", device: "d", cursor: "3:-1" })).toEqual([{ do: "join", cursor: { partition: 3, offset: -1 } }]);
    expect(connection.device).toBe("d");
  });

  test.each(["4:1", "3", "x"])("with the cursor %s is a bad frame", (cursor) => {
    expect(say({ t: "hello", device: "d", cursor })).toEqual(closes("bad_frame"));
  });

  test("counts characters of the device, not UTF-16 units", () => {
    expect(say({ t: "hello", device: "🙂".repeat(64) })[0]!.do).toBe("join");
  });

  test("must come first, in time, and once", () => {
    expect(tick(4_999)).toEqual([]);
    expect(tick(5_000)).toEqual(closes("bad_frame"));
    expect(tick(6_000)).toEqual([]);
  });

  test("is waited for by the monotonic clock: the system's may be set", () => {
    expect(connection.tick(start - 3_600_000, opened + 4_999)).toEqual([]);
    expect(connection.tick(start - 3_600_000, opened + 5_000)).toEqual(closes("bad_frame"));
  });

  test("ends the wait for it", () => {
    say({ t: "hello", device: "d" });
    expect(tick(5_000)).toEqual([]);
    expect(say({ t: "hello", device: "d" })).toEqual(closes("bad_frame"));
  });
});

describe("notes", () => {
  test("are held until what was missed is sent; what was sent already is dropped", () => {
    say({ t: "hello", device: "d" });
    expect(connection.note(7, "n7")).toEqual([]);
    expect(framesOf(connection.welcome(4, true))).toEqual([
      { t: "welcome", session: "s", cursor: "3:4", resumed: true, expiresAt: "1970-01-01T00:17:40.000Z" },
    ]);
    expect(connection.note(8, "n8")).toEqual([]);
    expect(connection.row(6, "r6")).toEqual(sends("r6"));
    expect(connection.row(7, "r7")).toEqual(sends("r7"));
    expect(connection.nextHeld()).toEqual([]);
    expect(connection.nextHeld()).toEqual(sends("n8"));
    expect(connection.note(9, "n9")).toEqual([]);
    expect(connection.nextHeld()).toEqual(sends("n9"));
    expect(connection.nextHeld()).toBeUndefined();
    expect(connection.note(10, "n10")).toEqual(sends("n10"));
    expect(connection.note(10, "n10")).toEqual([]);
  });

  test("at or below the cursor are dropped: an instance behind the client's", () => {
    say({ t: "hello", device: "d" });
    connection.note(8, "n8");
    connection.note(9, "n9");
    connection.welcome(8, true);
    expect(connection.nextHeld()).toEqual([]);
    expect(connection.nextHeld()).toEqual(sends("n9"));
  });

  test("held are bounded", () => {
    say({ t: "hello", device: "d" });
    expect(connection.note(1, "x".repeat(60))).toEqual([]);
    expect(connection.note(2, "x".repeat(60))).toEqual(closes("overloaded"));
    expect(connection.note(3, "x")).toEqual([]);
  });
});

describe("ack", () => {
  test("goes out, cut to what was sent", () => {
    goLive();
    connection.note(5, "n");
    expect(say({ t: "ack", cursor: "3:4" })).toEqual([{ do: "ack", offset: 4 }]);
    expect(say({ t: "ack", cursor: "3:99" })).toEqual([{ do: "ack", offset: 5 }]);
  });

  test("before anything was sent says nothing", () => {
    goLive();
    expect(say({ t: "ack", cursor: "3:99" })).toEqual([]);
    expect(say({ t: "ack", cursor: "3:-1" })).toEqual([]);
  });

  test("before welcome waits for it", () => {
    say({ t: "hello", device: "d" });
    expect(say({ t: "ack", cursor: "3:50" })).toEqual([]);
    expect(connection.welcome(9, true).at(-1)).toEqual({ do: "ack", offset: 9 });
  });

  test("of another partition is a bad frame", () => {
    goLive();
    expect(say({ t: "ack", cursor: "2:1" })).toEqual(closes("bad_frame"));
  });

  test("of another device is told, after welcome", () => {
    say({ t: "hello", device: "d" });
    expect(connection.read(4)).toEqual([]);
    expect(framesOf(connection.welcome(2, true)).at(-1)).toEqual({ t: "read", cursor: "3:4" });
    expect(framesOf(connection.read(6))).toEqual([{ t: "read", cursor: "3:6" }]);
  });
});

describe("token", () => {
  test("expired closes", () => {
    goLive();
    expect(tick(59_999)).toEqual([]);
    expect(tick(60_000)).toEqual(closes("token"));
  });

  test("renewed in band moves the end", () => {
    goLive();
    expect(say({ t: "auth", token: "t" })).toEqual([{ do: "verify", token: "t" }]);
    expect(framesOf(connection.verified({ key: "m:c", expiresAt: start + 120_000 }))).toEqual([
      { t: "auth", expiresAt: "1970-01-01T00:18:40.000Z" },
    ]);
    expect(tick(60_000)).toEqual([]);
  });

  test("that is bad or another customer's closes", () => {
    expect(connection.verified({ key: "m:other", expiresAt: start + 120_000 })).toEqual(closes("token"));
    expect(connection.verified(null)).toEqual([]);
  });
});

describe("frames", () => {
  test.each(["", "{", "1", "[]", "null", '"x"', "{}", '{"t":1}', '{"t":"note"}'])("%j is a bad frame", (text) => {
    goLive();
    expect(say(text)).toEqual(closes("bad_frame"));
  });

  test("may have fields that are not known", () => {
    goLive(3);
    expect(say({ t: "ack", cursor: "3:1", later: true })).toEqual([{ do: "ack", offset: 1 }]);
  });

  test("binary or above the limit are bad frames", () => {
    goLive();
    expect(connection.frame(null, 10, at + 1_000)).toEqual(closes("bad_frame"));
  });

  test("ten in any second are allowed, eleven are not", () => {
    goLive(3);
    const frame = JSON.stringify({ t: "ack", cursor: "3:1" });
    const later = (ms: number) => connection.frame(frame, frame.length, at + 1_000 + ms);
    for (let i = 0; i < 10; i++) expect(later(i * 10)[0]!.do).toBe("ack");
    expect(later(1_000)[0]!.do).toBe("ack");
    expect(later(1_005)).toEqual(closes("frame_rate"));
    expect(later(5_000)).toEqual([]);
  });
});
