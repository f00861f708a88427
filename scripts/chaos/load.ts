import { setTimeout as sleep } from "node:timers/promises";
import type { OrderEncoder } from "@perkstream/contracts";
import { damaged } from "../simulate/broken.ts";
import type { OrderStream, StreamItem } from "../simulate/order-stream.ts";
import type { ApiChannel } from "./api-channel.ts";
import { Lane } from "./lane.ts";
import type { Ledger } from "./ledger.ts";
import type { ProducerChannel } from "./producer-channel.ts";

const tickMs = 50;
const apiLanes = 6;
const recordsPerSend = 50;

export interface LoadParts {
  readonly stream: OrderStream;
  readonly encoder: OrderEncoder;
  readonly api: ApiChannel;
  readonly producer: ProducerChannel;
  readonly ledger: Ledger;
  /** Items a second, while what is behind takes them. */
  readonly rate: number;
}

export interface Load {
  /** Ends the stream; what was drawn from it is still delivered, and what it owes. */
  end(): Promise<void>;
  /** Items that are not acknowledged yet. */
  waiting(): number;
  /** Deliveries that had to be repeated. */
  repeats(): number;
  /** Gives up what is not acknowledged. */
  stop(): Promise<void>;
}

/**
 * Orders and what becomes of them, half of them through the API and half through a producer. All events of an order take the same
 * way, one after the other.
 */
export function startLoad(parts: LoadParts): Load {
  const { stream, rate } = parts;
  /** Orders of the past: they must name their time. */
  const late = new Set<string>();
  const api = Array.from({ length: apiLanes }, () => apiLane(parts, late));
  const producer = producerLane(parts);
  const lanes = [...api, producer];
  const ended = new AbortController();
  const put = (item: StreamItem) => {
    const number = numberOf(item);
    if (item.kind === "late") late.add(item.event.orderId);
    if (item.kind === "broken" || number % 2 === 0) producer.add(item);
    else api[hash(item.key) % apiLanes]?.add(item);
  };
  const running = (async () => {
    for (let owed = 0; !ended.signal.aborted; owed = Math.min(owed + (rate * tickMs) / 1_000, rate)) {
      for (; owed >= 1 && !lanes.some((lane) => lane.isFull); owed -= 1) put(stream.next(Date.now()));
      await sleep(tickMs, undefined, { signal: ended.signal }).catch(() => {});
    }
  })();
  return {
    end: async () => {
      ended.abort();
      await running;
      for (const item of stream.rest()) put(item);
    },
    waiting: () => lanes.reduce((sum, lane) => sum + lane.waiting, 0),
    repeats: () => lanes.reduce((sum, lane) => sum + lane.repeats, 0),
    stop: async () => {
      ended.abort();
      await Promise.all([running, ...lanes.map((lane) => lane.stop())]);
    },
  };
}

function apiLane({ api, ledger }: LoadParts, late: ReadonlySet<string>): Lane<StreamItem> {
  return new Lane(1, async ([item]) => {
    if (item === undefined) return true;
    const { event } = item;
    const number = numberOf(item);
    // Without its time an order gets the API's, which remembers the one that it gave at first.
    const namesTime = event.type !== "OrderPlaced" || number % 4 === 1 || late.has(event.orderId);
    const part = event.type === "OrderRefunded" ? event.refundId : event.type;
    const idempotencyKey = number % 3 === 0 ? `${event.orderId}/${part}` : null;
    const isAcknowledged = await api.send(event, { namesTime, idempotencyKey });
    if (isAcknowledged) ledger.acknowledge("api", event);
    return isAcknowledged;
  });
}

function producerLane({ producer, encoder, ledger }: LoadParts): Lane<StreamItem> {
  return new Lane(recordsPerSend, async (items) => {
    const records = items.map(({ key, event, damage }) => ({
      key,
      value: damaged(encoder.encode(event), damage),
      timestamp: Date.now(),
    }));
    for (const [i, item] of items.entries()) if (item.kind === "broken") ledger.sendBroken(item, records[i]!.value);
    const positions = await producer.send(records);
    if (positions === null) return false;
    for (const [i, item] of items.entries()) {
      if (item.kind === "broken") ledger.acknowledgeBroken(item, records[i]!.value, positions[i]!);
      else ledger.acknowledge("producer", item.event);
    }
    return true;
  });
}

/** Its orders count up; refunds and repeats have their order's number. */
function numberOf({ event: { orderId } }: StreamItem): number {
  return Number(orderId.slice(orderId.lastIndexOf("-") + 1));
}

function hash(text: string): number {
  let value = 0;
  for (let i = 0; i < text.length; i++) value = (Math.imul(value, 31) + text.charCodeAt(i)) | 0;
  return value >>> 0;
}
