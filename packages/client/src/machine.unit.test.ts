import { beforeEach, describe, expect, it } from "vitest";
import type { Effect, Input, Machine } from "./machine.ts";
import { createMachine, limits } from "./machine.ts";
import type { Note } from "./notifications.ts";
import type { ServerFrame } from "./protocol.ts";

const start = Date.UTC(2026, 0, 1);
const quarter = 15 * 60_000;

let now: number;
let machine: Machine;
let roll: number;

beforeEach(() => {
  now = start;
  roll = 0.5;
  machine = createMachine("phone", () => roll);
});

const handle = (input: Input): Effect[] => machine.handle(input, now);
const frame = (text: ServerFrame): Effect[] => handle({ type: "frame", frame: text });
const token = (overrides: Partial<Extract<Input, { type: "token" }>> = {}): Effect[] =>
  handle({ type: "token", token: "t1", owner: "m:c", expiresAt: now + quarter, cursor: undefined, ...overrides });
const welcome = (cursor = "3:10", resumed = true): Effect[] =>
  frame({ t: "welcome", session: "s", cursor, resumed, expiresAt: new Date(now + quarter).toISOString() });
const note = (offset: number, id = `n${offset}`): Effect[] => frame({ t: "note", ...expiring(offset, id) });
const close = (code: number): Effect[] => handle({ type: "socketClosed", code });
const ring = (name: "retry" | "refresh" | "deadline" | "stable" | "ack"): Effect[] => handle({ type: "timer", name });
const only = <D extends Effect["do"]>(effects: Effect[], kind: D): Extract<Effect, { do: D }>[] =>
  effects.filter((effect): effect is Extract<Effect, { do: D }> => effect.do === kind);
const retryIn = (effects: Effect[]): number | null | undefined => only(effects, "timer").find((timer) => timer.name === "retry")?.ms;

function expiring(offset: number, id: string): Note {
  const at = "2026-01-01T00:00:00Z";
  const common = { id, merchantId: "m", customerId: "c", occurredAt: at, orderId: null };
  const data = { ...common, amountMinor: 5, currency: "EUR", expiresAt: at };
  return { cursor: `3:${offset}`, id, type: "CashbackExpiring", at, data };
}

function online(cursor?: string): void {
  handle({ type: "start" });
  token({ cursor });
  handle({ type: "opened" });
  welcome(cursor);
}

describe("connecting", () => {
  it("asks for a token, opens, says hello with the stored cursor and is online at the welcome", () => {
    expect(only(handle({ type: "start" }), "fetchToken")).toHaveLength(1);
    expect(only(token({ cursor: "3:7" }), "open")).toEqual([{ do: "open", token: "t1" }]);
    expect(only(handle({ type: "opened" }), "send")).toEqual([{ do: "send", frame: { t: "hello", device: "phone", cursor: "3:7" } }]);
    const effects = welcome("3:7");
    expect(machine.state).toEqual({ status: "online", session: "s", resumed: true });
    expect(only(effects, "store")).toEqual([]);
  });

  it("says hello without a cursor the first time and keeps where the flow starts", () => {
    handle({ type: "start" });
    token();
    expect(only(handle({ type: "opened" }), "send")).toEqual([{ do: "send", frame: { t: "hello", device: "phone" } }]);
    expect(only(welcome("3:4", false), "store")).toEqual([{ do: "store", cursor: "3:4" }]);
    expect(machine.state).toMatchObject({ resumed: false });
  });

  it("gives up an attempt that hears no welcome in time", () => {
    handle({ type: "start" });
    token();
    const effects = ring("deadline");
    expect(only(effects, "drop")).toHaveLength(1);
    expect(machine.state).toMatchObject({ status: "waiting", code: 1006 });
  });

  it("retries when no token could be had", () => {
    handle({ type: "start" });
    expect(retryIn(handle({ type: "tokenFailed" }))).toBe(250);
    expect(only(ring("retry"), "fetchToken")).toHaveLength(1);
  });
});

describe("notes", () => {
  it("delivers each once, with strictly rising cursors, and stores how far it came", () => {
    online("3:10");
    expect(note(11).map((effect) => effect.do)).toEqual(["deliver", "store"]);
    expect(note(11)).toEqual([]);
    expect(note(9)).toEqual([]);
    expect(only(note(14), "deliver")[0]?.note).toMatchObject({ cursor: "3:14", type: "CashbackExpiring" });
    expect(only(note(14), "deliver")).toEqual([]);
  });

  it("drops a repeat under another cursor by its id, but moves on", () => {
    online("3:10");
    note(11, "same");
    expect(note(12, "same")).toEqual([{ do: "store", cursor: "3:12" }]);
  });

  it("compares offsets as numbers", () => {
    online("3:9");
    expect(only(note(10), "deliver")).toHaveLength(1);
  });

  it("goes on after the last note when it reconnects", () => {
    online("3:10");
    note(15);
    close(1006);
    ring("retry");
    expect(only(handle({ type: "opened" }), "send")[0]?.frame).toMatchObject({ t: "hello", cursor: "3:15" });
  });

  it("ignores frames of a later version", () => {
    online();
    expect(handle({ type: "frame", frame: JSON.parse('{"t":"confetti"}') as ServerFrame })).toEqual([]);
  });

  it("passes on what another device has read", () => {
    online("3:10");
    expect(frame({ t: "read", cursor: "3:9" })).toEqual([{ do: "read", cursor: "3:9" }]);
  });
});

describe("acks", () => {
  it("sends at most one in a quarter of a second, the newest", () => {
    online("3:10");
    for (const offset of [11, 12, 13]) note(offset);
    const sent = [11, 12, 13].flatMap((n) => only(handle({ type: "ack", cursor: `3:${n}` }), "send"));
    expect(sent).toEqual([{ do: "send", frame: { t: "ack", cursor: "3:11" } }]);
    expect(only(ring("ack"), "send")).toEqual([{ do: "send", frame: { t: "ack", cursor: "3:13" } }]);
    expect(ring("ack")).toEqual([]);
  });

  it("never goes back, and without a cursor means all that was received", () => {
    online("3:10");
    note(12);
    expect(only(handle({ type: "ack", cursor: undefined }), "send")[0]?.frame).toEqual({ t: "ack", cursor: "3:12" });
    ring("ack");
    expect(handle({ type: "ack", cursor: "3:11" })).toEqual([]);
  });

  it("keeps an ack for the next connection, and repeats the last, which may have been lost", () => {
    online("3:10");
    handle({ type: "ack", cursor: "3:10" });
    close(1006);
    ring("retry");
    handle({ type: "opened" });
    expect(only(welcome("3:10"), "send")).toEqual([{ do: "send", frame: { t: "ack", cursor: "3:10" } }]);
  });
});

describe("token", () => {
  it("is renewed in band a minute before its expiry, and again after the answer", () => {
    handle({ type: "start" });
    token();
    handle({ type: "opened" });
    expect(only(welcome(), "timer")).toContainEqual({ do: "timer", name: "refresh", ms: quarter - 60_000 });
    now += quarter - 60_000;
    expect(ring("refresh")).toEqual([{ do: "fetchToken" }]);
    expect(only(token({ token: "t2" }), "send")).toEqual([{ do: "send", frame: { t: "auth", token: "t2" } }]);
    const effects = frame({ t: "auth", expiresAt: new Date(now + 10_000).toISOString() });
    expect(effects).toContainEqual({ do: "timer", name: "refresh", ms: 8_000 });
    expect(effects).toContainEqual({ do: "timer", name: "deadline", ms: null });
  });

  it("takes an unanswered auth frame for a dead connection", () => {
    online();
    ring("refresh");
    token({ token: "t2" });
    expect(only(ring("deadline"), "drop")).toHaveLength(1);
    expect(machine.state.status).toBe("waiting");
  });

  it("is asked for again, later and later, when renewing fails", () => {
    online();
    ring("refresh");
    expect(handle({ type: "tokenFailed" })).toEqual([{ do: "timer", name: "refresh", ms: 1_000 }]);
    for (let n = 0; n < 4; n++) handle({ type: "tokenFailed" });
    expect(handle({ type: "tokenFailed" })).toEqual([{ do: "timer", name: "refresh", ms: 8_000 }]);
    expect(machine.state.status).toBe("online");
  });

  it("is not renewed in a loop on a machine whose clock is ahead", () => {
    online();
    const effects = frame({ t: "auth", expiresAt: new Date(now - 1).toISOString() });
    expect(effects).toContainEqual({ do: "timer", name: "refresh", ms: null });
  });

  it("is used again by a reconnect while it holds, and not when it is about to end", () => {
    online();
    close(1006);
    expect(only(ring("retry"), "open")).toHaveLength(1);
    close(1006);
    now += quarter - 30_000;
    expect(only(ring("retry"), "fetchToken")).toHaveLength(1);
  });

  it("of another customer ends the connection", () => {
    online();
    ring("refresh");
    token({ owner: "m:somebody else" });
    expect(machine.state).toEqual({ status: "closed", reason: "other_customer" });
  });
});

describe("close codes", () => {
  it("4001 asks once for a fresh token and is final when that is refused too", () => {
    online();
    expect(only(close(4001), "fetchToken")).toHaveLength(1);
    token({ token: "t2" });
    handle({ type: "opened" });
    close(4001);
    expect(machine.state).toEqual({ status: "closed", reason: "token" });
  });

  it("a welcome makes up for an earlier 4001", () => {
    online();
    close(4001);
    token({ token: "t2" });
    handle({ type: "opened" });
    welcome();
    expect(only(close(4001), "fetchToken")).toHaveLength(1);
  });

  it.each([
    [4000, "bad_frame"],
    [4002, "disconnected"],
    [4003, "origin"],
  ] as const)("%i is final: %s", (code, reason) => {
    online();
    const effects = close(code);
    expect(machine.state).toEqual({ status: "closed", reason });
    expect(only(effects, "cancelTimers")).toHaveLength(1);
    expect(handle({ type: "wake" })).toEqual([]);
  });

  it("4000 as the answer to a hello with a cursor forgets the cursor and tries once without", () => {
    handle({ type: "start" });
    token({ cursor: "9:99" });
    handle({ type: "opened" });
    expect(only(close(4000), "store")).toEqual([{ do: "store", cursor: null }]);
    ring("retry");
    expect(only(handle({ type: "opened" }), "send")[0]?.frame).toEqual({ t: "hello", device: "phone" });
    close(4000);
    expect(machine.state).toEqual({ status: "closed", reason: "bad_frame" });
  });

  it("4000 for a cursor forgets the acks of its numbering too", () => {
    online("9:99");
    handle({ type: "ack", cursor: "9:99" });
    close(1006);
    ring("retry");
    handle({ type: "opened" });
    close(4000);
    ring("retry");
    handle({ type: "opened" });
    expect(only(welcome("3:-1", false), "send")).toEqual([]);
    note(0);
    expect(only(handle({ type: "ack", cursor: undefined }), "send")).toEqual([{ do: "send", frame: { t: "ack", cursor: "3:0" } }]);
  });

  it("4000 that comes late three times in a row is about the cursor after all", () => {
    handle({ type: "start" });
    token({ cursor: "9:99" });
    const stored = Array.from({ length: 3 }, () => {
      handle({ type: "opened" });
      now += 5_000;
      const effects = close(4000);
      ring("retry");
      return only(effects, "store").length;
    });
    expect(stored).toEqual([0, 0, 1]);
    expect(only(handle({ type: "opened" }), "send")[0]?.frame).toEqual({ t: "hello", device: "phone" });
  });

  it("a welcome between two lost hellos begins their count anew", () => {
    online("3:7");
    for (let i = 0; i < 4; i++) {
      close(1006);
      ring("retry");
      handle({ type: "opened" });
      now += 5_000;
      expect(only(close(4000), "store")).toEqual([]);
      ring("retry");
      handle({ type: "opened" });
      welcome("3:7");
    }
  });

  it("4001 for a token that the server had taken before asks for a fresh one", () => {
    online();
    close(4001);
    token({ token: "t2" });
    handle({ type: "opened" });
    close(1013);
    ring("retry");
    handle({ type: "opened" });
    expect(only(close(4001), "fetchToken")).toHaveLength(1);
  });

  it.each([undefined, "9:99"])("4000 that comes as late as for a missing hello is retried with what there was: cursor %s", (cursor) => {
    const greet = () => only(handle({ type: "opened" }), "send")[0]?.frame;
    handle({ type: "start" });
    token({ cursor });
    const hello = greet();
    now += 5_000;
    const effects = close(4000);
    expect(machine.state).toMatchObject({ status: "waiting", code: 4000 });
    expect(only(effects, "store")).toEqual([]);
    ring("retry");
    expect(greet()).toEqual(hello);
    now += 4_999;
    close(4000);
    expect(machine.state.status).toBe(cursor === undefined ? "closed" : "waiting");
  });

  it.each([1000, 1001, 1006, 1009, 1011, 1012, 1013, 4008, 4013, 4999])("%i is retried", (code) => {
    online();
    expect(retryIn(close(code))).toBe(250);
    expect(machine.state).toEqual({ status: "waiting", code, retryInMs: 250 });
  });

  it("4009 comes back slowly, so that two devices too many do not take turns", () => {
    online();
    roll = 0;
    expect(retryIn(close(4009))).toBe(15_000);
  });
});

it("renews within a token's longest life, however far behind the clock is", () => {
  handle({ type: "start" });
  token();
  handle({ type: "opened" });
  const expiresAt = new Date(now + 30 * 86_400_000).toISOString();
  const effects = frame({ t: "welcome", session: "s", cursor: "3:1", resumed: true, expiresAt });
  expect(only(effects, "timer").find(({ name }) => name === "refresh")?.ms).toBe(quarter - limits.refreshBeforeMs);
});

describe("retries", () => {
  it("have full jitter over a doubling window with a cap", () => {
    handle({ type: "start" });
    roll = 0.999999;
    const waits = Array.from({ length: 9 }, () => {
      const wait = retryIn(handle({ type: "tokenFailed" }));
      ring("retry");
      return wait;
    });
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    roll = 0;
    expect(retryIn(handle({ type: "tokenFailed" }))).toBe(0);
  });

  it("start anew only after a connection that held", () => {
    online();
    close(1006);
    ring("retry");
    handle({ type: "opened" });
    welcome();
    expect(retryIn(close(1006))).toBe(500);
    ring("retry");
    handle({ type: "opened" });
    welcome();
    ring("stable");
    expect(retryIn(close(1006))).toBe(250);
  });

  it("keep to the window that a bye gave, once", () => {
    online();
    frame({ t: "bye", reason: "drain", retryMs: [2_000, 6_000] });
    expect(machine.state.status).toBe("online");
    expect(retryIn(close(1012))).toBe(4_000);
    ring("retry");
    handle({ type: "opened" });
    expect(retryIn(close(1012))).toBe(500);
  });

  it("happen at once when woken", () => {
    online();
    close(1006);
    expect(only(handle({ type: "wake" }), "open")).toHaveLength(1);
    expect(handle({ type: "wake" })).toEqual([]);
    expect(ring("retry")).toEqual([]);
  });
});

it("stops for good, in any phase", () => {
  for (const reach of [() => undefined, () => handle({ type: "start" }), () => online(), () => (online(), close(1006))]) {
    machine = createMachine("phone", () => roll);
    reach();
    const effects = handle({ type: "stop" });
    expect(effects.map((effect) => effect.do)).toEqual(["cancelTimers", "drop", "state"]);
    expect(machine.state).toEqual({ status: "closed", reason: "closed" });
    expect(token()).toEqual([]);
  }
});

it("remembers a bounded number of ids", () => {
  online("3:0");
  for (let n = 1; n <= limits.rememberedIds + 1; n++) note(n);
  expect(only(note(1_000, "n1"), "deliver")).toHaveLength(1);
  expect(only(note(1_001, `n${limits.rememberedIds}`), "deliver")).toHaveLength(0);
});
