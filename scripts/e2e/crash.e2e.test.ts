import { connectRegistry, openOrderEncoder, topics } from "@perkstream/contracts";
import { createKafka } from "@perkstream/program";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBed, type Bed } from "../bed/bed.ts";
import { benchStream, preload } from "../bed/load.ts";
import { createMerchants } from "../bed/merchants.ts";
import { openOrderProducer } from "../produce/order-producer.ts";
import { differencesOf } from "./differences.ts";
import { waitFor } from "./wait.ts";

const EVENTS = 3_000;
let bed: Bed;

beforeAll(async () => {
  bed = await openBed(() => {});
  const api = await bed.start(["merchant-api"]);
  const merchants = await createMerchants(bed.urlOf("merchant-api"), 2);
  await api.stop();
  const producer = await openOrderProducer(
    createKafka({ brokers: bed.stack.kafkaBrokers.split(","), clientId: "crash-test" }),
    topics.orders,
  );
  const encoder = await openOrderEncoder(connectRegistry(bed.stack.registryUrl));
  await preload(benchStream(merchants, { seed: 7, customers: 300, refunds: 0.05, duplicates: 0.02 }), encoder, producer, EVENTS, () => {});
  await producer.close();
}, 600_000);
afterAll(() => bed.close());

/** Runs a program's process until it ends itself between a COMMIT and the publishing of what it committed. */
async function crash(service: string): Promise<void> {
  let ended = false;
  const running = bed
    .start([service], { PERKS_CRASH_AT: "commit:3", PERKS_CHUNK_SIZE: "200" }, () => (ended = true))
    .catch(() => {
      ended = true;
      return null;
    });
  await waitFor(`${service} has ended itself`, () => Promise.resolve(ended));
  await (await running)?.stop();
}

describe("kill -9 between commit and publish", () => {
  it("loses and repeats no notification in the inbox", async () => {
    await crash("tier-processor");
    const [left] = await bed.sql`SELECT count(*)::int AS n FROM tier.outbox`;
    expect(left!["n"]).toBeGreaterThan(0);
    const tier = await bed.start(["tier-processor"]);
    await crash("cashback-processor");
    await bed.start(["cashback-processor", "notifier"]);
    await waitFor("everything is in the inbox", async () => {
      const [row] = await bed.sql<{ done: boolean }[]>`SELECT
        (SELECT sum(next_off) = ${EVENTS} FROM tier.progress) AND (SELECT sum(next_off) = ${EVENTS} FROM cashback.progress)
        AND (SELECT sum(out_seq) = sum(published) FROM tier.progress) AND (SELECT sum(out_seq) = sum(published) FROM cashback.progress)
        AND (SELECT sum(next_off) FROM inbox.progress) >= (SELECT sum(out_seq) FROM tier.progress) + (SELECT sum(out_seq) FROM cashback.progress) AS done`;
      return row!.done;
    });
    const [row] = await bed.sql<{ produced: number; stored: number; changes: number; told: number }[]>`SELECT
      ((SELECT sum(out_seq) FROM tier.progress) + (SELECT sum(out_seq) FROM cashback.progress))::int AS produced,
      (SELECT count(*)::int FROM inbox.notification) AS stored,
      (SELECT count(*)::int FROM tier.history) AS changes,
      (SELECT sum(out_seq)::int FROM tier.progress) AS told`;
    expect(row!.produced).toBeGreaterThan(EVENTS / 2);
    expect(row!.stored).toBe(row!.produced);
    expect(row!.told).toBe(row!.changes);
    await tier.stop();
    expect(await differencesOf(bed.stack)).toEqual([]);
  }, 600_000);
});
