import { fixedRegistry, openJsonDecoder, openNotificationEncoder } from "@perkstream/contracts";
import type { StoredNotification } from "@perkstream/inbox";
import { expect, test } from "vitest";
import type { Client } from "./client.ts";
import { handOver, type HandOverPorts } from "./hand-over.ts";
import { defaultLimits } from "./limits.ts";
import { Connection, type Effect } from "./protocol/connection.ts";

const id = "0b5a9ff4-6f1e-5f0c-8a35-0d2f5d5a1c11";
const customer = { merchant: "4f981b0b-accf-4eb7-8018-7cd651c7e907", customerId: "c" };
const encoder = await openNotificationEncoder(fixedRegistry());
const record = encoder.encode("CashbackExpiring", {
  id,
  merchantId: customer.merchant,
  customerId: "c",
  occurredAt: 0,
  orderId: null,
  amountMinor: 1n,
  currency: "EUR",
  expiresAt: 1,
});
const row = (offset: number): StoredNotification => ({ partition: 0, offset, id, storedAt: 0, record, read: false });

interface Given {
  /** Offsets in the inbox. */
  readonly stored?: number[];
  readonly state?: { acked: number | null; trimmed: number | null };
  readonly reached?: boolean;
  readonly end?: number;
  readonly passed?: boolean;
  readonly limits?: Partial<typeof defaultLimits>;
  /** Bytes that the socket still holds, by call. */
  readonly buffered?: () => number;
  readonly onWelcome?: (connection: Connection) => void;
}

function setUp(given: Given) {
  const { stored = [], state = { acked: null, trimmed: null }, buffered = () => 0 } = given;
  const connection = new Connection({ session: "s", key: "k", partition: 0, expiresAt: 1_000, openedAt: 0 }, defaultLimits);
  connection.frame(JSON.stringify({ t: "hello", device: "d" }), 30, 0);
  const sent: string[] = [];
  const client: Client = { connection, customer, since: 0, onDrain: null, socket: { send: () => {}, close: () => {}, buffered } };
  const ports: HandOverPorts = {
    inbox: {
      reached: async () => given.reached ?? true,
      state: async () => state,
      between: async (_, { after, before, limit }) =>
        stored
          .filter((off) => off > after && off < before)
          .slice(0, limit)
          .map(row),
      unread: async (_, { before, limit }) =>
        stored
          .filter((off) => off > (state.acked ?? -1) && off < before)
          .slice(-limit)
          .map(row),
    },
    live: { next: () => 0, passed: async () => given.passed ?? true, end: async () => given.end ?? 0 },
    decoder: openJsonDecoder(fixedRegistry()),
    limits: { ...defaultLimits, handOverMs: 50, ...given.limits },
    run: (_, effects: readonly Effect[]) => {
      for (const effect of effects) if (effect.do === "send") sent.push(brief(effect.frame));
    },
    onWelcome: () => given.onWelcome?.(connection),
    onOutage: () => {},
  };
  return { connection, client, ports, sent };
}

function brief(frame: string): string {
  const { t, cursor, resumed } = JSON.parse(frame) as { t: string; cursor: string; resumed?: boolean };
  return t === "welcome" ? `welcome ${cursor} ${resumed}` : `${t} ${cursor}`;
}

const cursor = (offset: number) => ({ partition: 0, offset });

test("rows between the cursor and L, then what was held", async () => {
  const { ports, client, sent, connection } = setUp({
    stored: [2, 4, 6, 8, 9],
    onWelcome: (to) => to.note(11, JSON.stringify({ t: "note", cursor: "0:11" })),
  });
  connection.note(9, JSON.stringify({ t: "note", cursor: "0:9" }));
  expect(await handOver(ports, client, cursor(4), 9)).toBeNull();
  expect(sent).toEqual(["welcome 0:4 true", "note 0:6", "note 0:8", "note 0:9", "note 0:11"]);
  expect(connection.phase).toBe("live");
});

test("pages are read one after the other", async () => {
  const { ports, client, sent } = setUp({ stored: Array.from({ length: 900 }, (_, i) => i) });
  expect(await handOver(ports, client, cursor(-1), 900)).toBeNull();
  expect(sent).toHaveLength(901);
});

test("without a cursor the flow starts after the last ack, or just before the oldest of the newest unread", async () => {
  const acked = setUp({ stored: [1, 2, 3], state: { acked: 2, trimmed: null } });
  await handOver(acked.ports, acked.client, null, 9);
  expect(acked.sent).toEqual(["welcome 0:2 false", "note 0:3"]);
  const many = setUp({ stored: [1, 3, 5, 7], limits: { unread: 2 } });
  await handOver(many.ports, many.client, null, 9);
  expect(many.sent).toEqual(["welcome 0:4 false", "note 0:5", "note 0:7"]);
});

test("a cursor below what was trimmed is too old, the one at it is not", async () => {
  const state = { acked: null, trimmed: 5 };
  const old = setUp({ stored: [6], state });
  await handOver(old.ports, old.client, cursor(4), 9);
  expect(old.sent).toEqual(["welcome 0:5 false", "note 0:6"]);
  const edge = setUp({ stored: [6], state });
  await handOver(edge.ports, edge.client, cursor(5), 9);
  expect(edge.sent).toEqual(["welcome 0:5 true", "note 0:6"]);
});

test("a cursor at or above L waits for the live path; beyond the end it is a bad frame", async () => {
  const ahead = setUp({ end: 12, stored: [3] });
  ahead.connection.note(11, JSON.stringify({ t: "note", cursor: "0:11" }));
  ahead.connection.note(12, JSON.stringify({ t: "note", cursor: "0:12" }));
  expect(await handOver(ahead.ports, ahead.client, cursor(11), 9)).toBeNull();
  expect(ahead.sent).toEqual(["welcome 0:11 true", "note 0:12"]);
  const beyond = setUp({ end: 11 });
  expect(await handOver(beyond.ports, beyond.client, cursor(11), 9)).toBe("bad_frame");
  const behind = setUp({ end: 12, passed: false });
  expect(await handOver(behind.ports, behind.client, cursor(11), 9)).toBe("overloaded");
});

test("an inbox that does not come along, or an outage, is 1013", async () => {
  const late = setUp({ reached: false });
  expect(await handOver(late.ports, late.client, null, 9)).toBe("overloaded");
  const hanging = setUp({});
  const ports = { ...hanging.ports, inbox: { ...hanging.ports.inbox, state: () => new Promise<never>(() => {}) } };
  expect(await handOver(ports, hanging.client, null, 9)).toBe("overloaded");
  const unplaced = setUp({});
  expect(await handOver(unplaced.ports, unplaced.client, null, undefined)).toBe("overloaded");
});

test("rows go out as the socket takes them; a client that takes none is too slow", async () => {
  const stuck = setUp({ stored: [1, 2, 3], buffered: () => 1_000_000 });
  expect(await handOver(stuck.ports, stuck.client, null, 9)).toBe("too_slow");
  let waiting = 3;
  const slow = setUp({ stored: [1, 2, 3], buffered: () => (waiting > 0 ? 100_000 : 0), limits: { handOverMs: 30_000 } });
  const draining = setInterval(() => {
    waiting -= 1;
    slow.client.onDrain?.();
  }, 5);
  expect(await handOver(slow.ports, slow.client, null, 9)).toBeNull();
  clearInterval(draining);
  expect(slow.sent).toHaveLength(4);
});

test("pages are not read for a connection that has gone", async () => {
  const { ports, client, sent, connection } = setUp({ stored: Array.from({ length: 900 }, (_, i) => i) });
  let pages = 0;
  const between: typeof ports.inbox.between = (...given) => ((pages += 1), ports.inbox.between(...given));
  const run: typeof ports.run = (who, effects) => {
    ports.run(who, effects);
    if (sent.length === 250) connection.closed();
  };
  expect(await handOver({ ...ports, inbox: { ...ports.inbox, between }, run }, client, cursor(-1), 900)).toBeNull();
  expect(pages).toBe(2);
  expect(sent).toHaveLength(250);
});

test("a connection that has gone meanwhile is left alone", async () => {
  const { ports, client, sent, connection } = setUp({ stored: [1] });
  const waiting = handOver(ports, client, null, 9);
  connection.closed();
  expect(await waiting).toBeNull();
  expect(sent).toEqual([]);
});
