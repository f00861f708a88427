import type { OrderEvent } from "@perkstream/contracts";
import type { Sql } from "@perkstream/postgres";
import type { Outcome } from "@perkstream/program";
import { handle, type OrderEntry } from "../handle.ts";
import { createOrderBook } from "../store/book.ts";
import { entryOf, jsonDecoder, MERCHANT } from "./events.ts";
import { recordingEffects, type Extra, type RefundExtra } from "./memory.ts";

export const shop = { id: 1, currency: "USD" };
export const merchants = new Map([[MERCHANT, shop]]);

export const book = createOrderBook<Extra, RefundExtra>({
  schema: "trial",
  decoder: jsonDecoder,
  extra: { order: { level: "text", taken: "int4" }, refund: { note: "text" } },
});

/** Feeds chunks to the order tables as a program would, one transaction per chunk. */
export function trialProgram(sql: Sql) {
  const effects = recordingEffects();
  let offset = 0;
  async function entries(chunk: readonly OrderEntry[]): Promise<Outcome[]> {
    return sql.begin(async (tx) => {
      const orders = await book.load(tx, chunk, merchants);
      const outcomes = chunk.map((entry) => handle(orders, entry, shop, effects));
      await orders.save(tx);
      return outcomes;
    });
  }
  return {
    log: effects.log,
    entries,
    chunk: (...events: OrderEvent[]) => entries(events.map((event) => entryOf(event, { offset: offset++ }))),
  };
}

export function result({ result: outcome }: Outcome): string {
  return typeof outcome === "string" ? outcome : outcome.rejected.reason;
}
