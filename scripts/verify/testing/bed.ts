import { randomUUID } from "node:crypto";
import {
  type CampaignDefinition,
  campaignDefaults,
  changeCampaign,
  createCampaign,
  createRedemptionCommands,
  migrations as cashback,
} from "@perkstream/cashback";
import { type OrderEvent, topics } from "@perkstream/contracts";
import { migrations as inbox } from "@perkstream/inbox";
import {
  createMerchant,
  currentSettings,
  findMerchant,
  type Merchant,
  migrations as merchant,
  type NewMerchant,
  type Settings,
  updateSettings,
} from "@perkstream/merchant";
import { openSql, type Sql } from "@perkstream/postgres";
import { testDatabase } from "@perkstream/postgres/testing";
import { type CommandContext, type Driver, inPartitions, withPartitions } from "@perkstream/program";
import { forgetDueMoments, type LadderChange, migrations as tier, putLadder, runTierCommand, type TierCommand } from "@perkstream/tier";
import { ALL_PARTITIONS, type Codecs, type Drivers, openCodecs, partitionOf, publishOutboxes, startDrivers } from "./bed-parts.ts";

export type RedemptionStep =
  | {
      readonly kind: "reserve" | "redeem";
      readonly customerId: string;
      readonly id: string;
      readonly amountMinor: number;
      readonly orderId: string | null;
      readonly ttlMs: number;
    }
  | { readonly kind: "commit" | "release"; readonly id: string; readonly customerId: string }
  | { readonly kind: "link"; readonly id: string; readonly customerId: string; readonly orderId: string };

export interface FedEvent {
  readonly event: OrderEvent;
  readonly atMs: number;
  readonly key?: string;
}

/** Both programs and the inbox on a database of their own, run by their drivers, over three partitions. */
export class VerifyBed {
  readonly url: string;
  readonly sql: Sql;
  readonly #drop: () => Promise<void>;
  #drivers: Drivers;
  readonly #codecs: Codecs;
  readonly #commands: ReturnType<typeof createRedemptionCommands>;

  private constructor(url: string, sql: Sql, drop: () => Promise<void>, drivers: Drivers, codecs: Codecs) {
    this.url = url;
    this.sql = sql;
    this.#drop = drop;
    this.#drivers = drivers;
    this.#codecs = codecs;
    this.#commands = createRedemptionCommands({ decoder: codecs.decoder, encoder: codecs.notifications });
  }

  static async open(adminUrl: string): Promise<VerifyBed> {
    const database = await testDatabase(adminUrl, [merchant, tier, cashback, inbox]);
    const sql = openSql(database.url, { max: 3, applicationName: "verify-test" });
    const codecs = await openCodecs();
    const drivers = await startDrivers(sql, codecs);
    const drop = async () => {
      await sql.end();
      await database.drop();
    };
    return new VerifyBed(database.url, sql, drop, drivers, codecs);
  }

  /** Starts the programs anew: they read what is stored. */
  async restart(): Promise<void> {
    this.#drivers = await startDrivers(this.sql, this.#codecs);
  }

  close(): Promise<void> {
    return this.#drop();
  }

  async merchant(given: Omit<NewMerchant, "clock">): Promise<Merchant> {
    const made = await createMerchant(this.sql, { merchantId: randomUUID(), ...given, clock: "manual" }, { actor: "test", at: 0 });
    if (made === null) throw new Error("the id is taken");
    return made;
  }

  partitionOf(merchantId: string, customerId: string): number {
    return partitionOf(`${merchantId}:${customerId}`);
  }

  /** Lets both programs read records, tier first, in chunks of `chunkSize`, and publishes. */
  async feed(events: readonly FedEvent[], chunkSize = events.length): Promise<void> {
    await this.read(events, chunkSize);
    await this.publish();
  }

  /** The same, but what is to be told stays in the outboxes. */
  async read(events: readonly FedEvent[], chunkSize = events.length): Promise<void> {
    const records = events.map(({ event, atMs, key = `${event.merchantId}:${event.customerId}` }) => ({
      partition: partitionOf(key),
      timestamp: atMs,
      key: Buffer.from(key),
      value: this.#codecs.orders.encode(event),
    }));
    await this.raw(records, chunkSize);
  }

  async raw(records: Parameters<Driver["feed"]>[0], chunkSize = records.length): Promise<void> {
    if (records.length === 0) return;
    await this.#drivers.tier.feed(records, chunkSize);
    await this.#drivers.cashback.feed(records, chunkSize);
  }

  async sweep(merchantId: string, atMs: number): Promise<void> {
    await this.#drivers.tier.sweep(atMs, merchantId);
    await this.#drivers.cashback.sweep(atMs, merchantId);
    await this.publish();
  }

  async tierCommand(owner: Merchant, customerId: string, command: TierCommand, actor: string, atMs: number): Promise<string | null> {
    const partition = this.partitionOf(owner.merchantId, customerId);
    const by = { id: randomUUID(), actor, atMs };
    const result = await this.#locked("tier", [partition], (context) =>
      runTierCommand(context, this.#codecs.notifications, { merchant: owner, customerId, partition }, command, by),
    );
    await this.publish();
    return "refused" in result ? result.refused : null;
  }

  /** A new ladder; its customers follow at once if `background` is set, else when something touches them. */
  async ladder(owner: Merchant, change: LadderChange, background = true): Promise<void> {
    await this.#locked("tier", ALL_PARTITIONS, (context) => putLadder(context, owner.id, null, change));
    if (background) await this.#drivers.tier.sweep(0);
    await this.publish();
  }

  async campaign(owner: Merchant, given: Partial<CampaignDefinition> & { readonly id: string }, atMs: number): Promise<void> {
    const editor = { merchant: owner.id, actor: "test", at: atMs };
    const definition: CampaignDefinition = { ...campaignDefaults, name: given.id, rateBps: 100, status: "active", ...given };
    const made = await this.#locked("cashback", ALL_PARTITIONS, (context) => createCampaign(context, editor, definition));
    if (made !== "id_taken") return;
    const { id, ...patch } = definition;
    const changed = await this.#locked("cashback", ALL_PARTITIONS, (context) => changeCampaign(context, editor, id, null, patch));
    if (typeof changed === "string") throw new Error(changed);
  }

  /** As PATCH /v1/merchant does it. */
  async settings(owner: Merchant, change: Partial<Settings>, atMs: number): Promise<Merchant> {
    await this.sql.begin((tx) =>
      inPartitions(tx, { program: "tier", topic: topics.orders, partitions: ALL_PARTITIONS }, (ofTier) =>
        inPartitions(tx, { program: "cashback", topic: topics.orders, partitions: ALL_PARTITIONS }, async (ofCashback) => {
          const next = ({ progress }: CommandContext) => ALL_PARTITIONS.map((partition) => progress.get(partition)!.nextOffset);
          const own = next(ofCashback);
          const shared = next(ofTier).map((offset, i) => Math.max(offset, own[i]!));
          const after = await updateSettings(tx, owner.merchantId, change, { shared, cashback: own }, { actor: "test", at: atMs });
          if (after === null) throw new Error("no merchant");
          if (change.timeZone !== undefined) await forgetDueMoments(tx, owner.id);
          const detail = { merchant: owner.id, version: currentSettings(after).version };
          for (const { applied } of [ofTier, ofCashback]) {
            for (const partition of ALL_PARTITIONS) applied({ partition, kind: "settings", customer: 0, asOf: atMs, detail });
          }
        }),
      ),
    );
    const found = await findMerchant(this.sql, owner.merchantId);
    if (found === null) throw new Error("no merchant");
    return found;
  }

  /** The code of a refusal, null when it was done. */
  async redemption(owner: Merchant, step: RedemptionStep, atMs: number): Promise<string | null> {
    const partition = this.partitionOf(owner.merchantId, step.customerId);
    const command = { merchant: owner, partition, at: atMs };
    const result = await this.#locked("cashback", [partition], (context) => {
      switch (step.kind) {
        case "reserve":
        case "redeem": {
          const { customerId, id, orderId, amountMinor, ttlMs } = step;
          const request = { ...command, customerId, redemptionId: id, amountMinor: BigInt(amountMinor), orderId };
          return step.kind === "redeem" ? this.#commands.redeem(context, request) : this.#commands.reserve(context, request, ttlMs);
        }
        case "link":
          return this.#commands.link(context, command, step.id, step.orderId);
        default:
          return this.#commands[step.kind](context, command, step.id);
      }
    });
    await this.publish();
    return typeof result === "string" ? result : null;
  }

  /** Dead letters of a merchant that were not read once more yet: their records. */
  letters(merchantId: string): Promise<readonly { readonly partition: number; readonly offset: number }[]> {
    const of = (program: string) => `SELECT part, off FROM ${program}.dead_letter WHERE scope = $1::uuid AND redriven_at IS NULL`;
    return this.sql.unsafe(
      `SELECT part AS partition, off::float8 AS offset FROM (${of("tier")} UNION ${of("cashback")}) AS l ORDER BY 1, 2`,
      [merchantId],
    );
  }

  /** Reads a record once more in each program that has a dead letter of it, as the API does it. */
  async redrive(record: { readonly partition: number; readonly offset: number }): Promise<void> {
    const [tierLetter, cashbackLetter] = this.#drivers.redrivers;
    const scope = { topic: topics.orders, partitions: [record.partition] };
    const letterOf = async (program: string) => {
      const [row] = await this.sql.unsafe<{ id: string }[]>(
        `SELECT id FROM ${program}.dead_letter WHERE part = $1 AND off = $2 ORDER BY created_at DESC LIMIT 1`,
        [record.partition, record.offset],
      );
      return row?.id ?? randomUUID();
    };
    const ids = { tier: await letterOf("tier"), cashback: await letterOf("cashback") };
    await this.sql.begin((tx) =>
      inPartitions(tx, { program: "tier", ...scope }, (ofTier) =>
        inPartitions(tx, { program: "cashback", ...scope }, async (ofCashback) => {
          await tierLetter?.redrive(ofTier, record, ids.tier);
          await cashbackLetter?.redrive(ofCashback, record, ids.cashback);
        }),
      ),
    );
    await this.publish();
  }

  #locked<T>(program: "tier" | "cashback", partitions: readonly number[], run: (context: CommandContext) => Promise<T>): Promise<T> {
    return withPartitions(this.sql, { program, topic: topics.orders, partitions }, run);
  }

  /** What the hosts and the inbox do: the outboxes go to the inbox, in their order, and are marked. */
  publish(): Promise<void> {
    return publishOutboxes(this.sql, this.#drivers.inbox);
  }
}
