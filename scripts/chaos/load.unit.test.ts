import { fixedRegistry, openOrderEncoder } from "@perkstream/contracts";
import { waitUntil } from "@perkstream/stack";
import { expect, it } from "vitest";
import { type OrderStream, orderStream, type StreamItem } from "../simulate/order-stream.ts";
import { Ledger, remainingOf } from "./ledger.ts";
import { startLoad } from "./load.ts";

const merchants = [{ merchantId: "4f981b0b-accf-4eb7-8018-7cd651c7e907", currency: "USD" }];

it("still sends the order of a refund that the stream ended with", async () => {
  const { stream, refund } = streamThatOwes();
  const ledger = new Ledger();
  const load = startLoad({
    stream,
    encoder: await openOrderEncoder(fixedRegistry()),
    api: { send: async () => true, violations: [] },
    producer: { send: async (records) => records.map(() => ({ partition: 0, offset: 0 })), close: async () => {} },
    ledger,
    rate: 20,
  });
  await waitUntil(() => ledger.orders.has(`${refund.event.merchantId}/${refund.event.orderId}`), 5_000);
  await load.end();
  expect(await waitUntil(() => load.waiting() === 0, 5_000)).toBe(true);
  await load.stop();
  expect([...ledger.orders.values()].filter(({ netMinor }) => netMinor === undefined)).toEqual([]);
});

it("counts nothing as left of an order that was not acknowledged, whatever was refunded of it", () => {
  const { refund } = streamThatOwes();
  const ledger = new Ledger();
  if (refund.event.type !== "OrderRefunded") throw new Error("no refund");
  ledger.acknowledge("api", { ...refund.event, lines: [{ line: 1, netMinor: 5n }] });
  expect([...ledger.orders.values()].map(remainingOf)).toEqual([[]]);
});

/** A stream that stands still once a refund came before its order. */
function streamThatOwes(): { stream: OrderStream; refund: StreamItem } {
  const drawn = orderStream({ seed: 1, customers: 10, merchants, late: 1 });
  let refund = drawn.next(Date.now());
  while (refund.kind !== "refund") refund = drawn.next(Date.now());
  const first = refund;
  return { refund, stream: { next: () => first, rest: () => drawn.rest() } };
}
