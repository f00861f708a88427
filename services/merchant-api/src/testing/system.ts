import { createCashbackProgram } from "@perkstream/cashback";
import { createInboxProgram } from "@perkstream/inbox";
import { createDriver, type DrivenRecord, type Driver } from "@perkstream/program";
import { createLevels, createTierProgram } from "@perkstream/tier";
import { extensions } from "../composition.ts";
import { type ApiOptions, startApi, type StackAddresses, type TestApi } from "./api.ts";

/** The API, and all programs and the inbox run by their drivers over what went to Kafka. */
export interface TestSystem extends TestApi {
  readonly tier: Driver;
  readonly cashback: Driver;
  /** Lets all programs and the inbox handle what was sent since the last call. */
  handle(): Promise<void>;
}

export async function startSystem(stack: StackAddresses, options: ApiOptions = {}): Promise<TestSystem> {
  const api = await startApi(stack, options);
  const { partitions, deps } = api;
  const { storedOrders: decoder, notifications: encoder, json: reader } = deps.records;
  const tier = await createDriver(createTierProgram({ decoder, encoder }), api.pool("perkstream_tier"), partitions);
  const sql = api.pool("perkstream_cashback");
  const cashback = await createDriver(createCashbackProgram({ decoder, encoder, tier: createLevels(), sql }), sql, partitions);
  const others = await Promise.all(
    extensions.map(({ program, create }) =>
      createDriver(create({ decoder, encoder, partitions }), api.pool(`perkstream_${program}`), partitions),
    ),
  );
  const drivers = [tier, cashback, ...others];
  const inbox = await createDriver(createInboxProgram({ reader, now: Date.now }), api.pool("perkstream_notifier"), partitions);
  const seen = { events: 0, notices: drivers.map(() => 0) };

  const recordsSent = (): DrivenRecord[] =>
    api.appended.slice(seen.events).map(({ partition, event, timestamp }) => {
      const key = Buffer.from(`${event.merchantId}:${event.customerId}`);
      return { partition, timestamp, key, value: deps.records.orders.encode(event) };
    });
  const tell = async () => {
    const fresh = drivers.flatMap(({ notices }, i) => notices.slice(seen.notices[i]));
    seen.notices = drivers.map(({ notices }) => notices.length);
    const timestamp = Date.now();
    const placed = fresh.map(({ key, value }) => ({
      partition: deps.partitionOf(key.slice(0, 36), key.slice(37)),
      key: Buffer.from(key),
      value,
    }));
    await inbox.feed(placed.map((record) => ({ ...record, timestamp })));
  };
  return {
    ...api,
    tier,
    cashback,
    async handle() {
      const records = recordsSent();
      seen.events = api.appended.length;
      for (const driver of drivers) await driver.feed(records);
      await tell();
    },
  };
}

export const ladder = {
  settings: { metric: "net_spend", window: "lifetime", refundPolicy: "immediate", downgrade: "drop_to_qualified", graceDays: 0 },
  levels: [
    { id: "bronze", name: "Bronze", threshold: 0, cashbackMultiplierBps: 10_000 },
    { id: "gold", name: "Gold", threshold: 10_000, cashbackMultiplierBps: 20_000 },
  ],
};

export const campaign = { id: "k1", name: "One percent", rateBps: 100, status: "active", expiry: { type: "days", days: 90 } };

/** The clock of a request: noon of a day of January 2025. */
export const at = (day: number) => ({ "perks-now": new Date(Date.UTC(2025, 0, day, 12)).toISOString() });
