import {
  fixedRegistry,
  type NotificationEvent,
  openNotificationDecoder,
  openNotificationEncoder,
  openOrderDecoder,
  openOrderEncoder,
  type OrderEvent,
  topics,
} from "@perkstream/contracts";
import { createMerchant, type Merchant } from "@perkstream/merchant";
import type { Sql } from "@perkstream/postgres";
import { type CommandContext, createDriver, type Driver, withPartitions } from "@perkstream/program";
import { randomUUID } from "node:crypto";
import { changeCampaign, createCampaign } from "../commands/campaigns.ts";
import { createRedemptionCommands } from "../commands/redemptions.ts";
import { createCashbackProgram } from "../program.ts";
import { campaignStats } from "../queries/campaigns.ts";
import { cashbackOf, listCaps, listLots, listTransfers } from "../queries/customers.ts";
import { findOrder } from "../queries/orders.ts";
import { findRedemptionView } from "../queries/redemptions.ts";
import { definitionOf } from "./campaigns.ts";
import type { Observed, World } from "./compare.ts";
import type { Levels } from "./levels.ts";
import { MemoryWorld } from "./memory.ts";
import { tierOf } from "./tier.ts";
import { merchantId as vectorMerchant, type Step, type Vector } from "./vectors.ts";

const registry = fixedRegistry();
const PAGE = { limit: 10_000 };

/** The program on a real database, through the driver; levels are those that the same vector gives in memory. */
export class DatabaseWorld implements World {
  readonly #sql: Sql;
  readonly #memory: MemoryWorld;
  readonly #merchant: Merchant;
  #driver: Driver;
  readonly #start: () => Promise<Driver>;
  readonly #encoder: Awaited<ReturnType<typeof openOrderEncoder>>;
  readonly #decoder: ReturnType<typeof openOrderDecoder>;
  readonly #notifications: ReturnType<typeof openNotificationDecoder>;
  readonly #commands: ReturnType<typeof createRedemptionCommands>;
  readonly #customers = new Set<string>();
  readonly #orders = new Set<string>();
  readonly #redemptions = new Map<string, string>();
  #refusals: string[] = [];
  #seen = { notices: 0, deadLetters: 0 };
  /** How many clawbacks of an order were told. */
  readonly #clawbacks = new Map<string, number>();
  readonly #campaigns = new Set<string>();
  readonly #emitted: Buffer[] = [];
  readonly #deadLetters: string[] = [];

  private constructor(
    sql: Sql,
    merchant: Merchant,
    driver: Driver,
    start: () => Promise<Driver>,
    parts: Awaited<ReturnType<typeof codecs>>,
    memory: MemoryWorld,
  ) {
    this.#sql = sql;
    this.#merchant = merchant;
    this.#driver = driver;
    this.#start = start;
    this.#memory = memory;
    this.#encoder = parts.orderEncoder;
    this.#decoder = parts.decoder;
    this.#notifications = parts.notifications;
    this.#commands = createRedemptionCommands({ decoder: parts.decoder, encoder: parts.encoder });
  }

  /** `own` is the program's pool, if it is not that of the commands and queries; `levels` say more than the stub does. */
  static async open(sql: Sql, vector: Vector, own: Sql = sql, levels?: Levels, maxLotsOfSweep?: number): Promise<DatabaseWorld> {
    const parts = await codecs();
    const memory = new MemoryWorld(vector, levels);
    let base = 0;
    const tier = tierOf({
      progress: () => Promise.resolve(new Map([[0, Number.MAX_SAFE_INTEGER]])),
      levelsAt: (_sql, queries) =>
        Promise.resolve(queries.map(({ offset }) => ({ levelId: null, multiplierBps: memory.multipliers.get(offset - base) ?? 10_000 }))),
    });
    const program = { decoder: parts.decoder, encoder: parts.encoder, tier, sql: own, maxLotsOfSweep };
    const start = () => createDriver(createCashbackProgram(program), own, 1);
    const driver = await start();
    base = driver.nextOffset(0);
    const { currency, timeZone, clawbackPolicy, expiringNoticeDays } = vector.merchant;
    const policy = clawbackPolicy === "clamp_to_zero" ? "clamp_to_zero" : "allow_negative";
    const made = await createMerchant(
      sql,
      { name: vector.id, currency, timeZone, clawbackPolicy: policy, expiringNoticeDays: expiringNoticeDays ?? 0 },
      { actor: "test", at: 0 },
    );
    if (made === null) throw new Error("the merchant's id is taken");
    const world = new DatabaseWorld(sql, made, driver, start, parts, memory);
    for (const campaign of vector.campaigns) await world.#edit(campaign, 0);
    return world;
  }

  /** Starts the program anew: nothing cached, a new epoch. */
  async restart(): Promise<void> {
    this.#emitted.push(...this.#driver.notices.slice(this.#seen.notices).map((notice) => notice.value));
    this.#deadLetters.push(...this.#driver.deadLetters.slice(this.#seen.deadLetters).map((letter) => letter.reason));
    this.#seen = { notices: 0, deadLetters: 0 };
    this.#driver = await this.#start();
  }

  #locked<T>(run: (context: CommandContext) => Promise<T>): Promise<T> {
    return withPartitions(this.#sql, { program: "cashback", topic: topics.orders, partitions: [0] }, (context) =>
      run({ ...context, emit: (partition, notice) => (this.#emitted.push(notice.value), context.emit(partition, notice)) }),
    );
  }

  async #edit(text: Vector["campaigns"][number], at: number): Promise<void> {
    this.#campaigns.add(text.id);
    const editor = { merchant: this.#merchant.id, actor: "test", at };
    const definition = definitionOf(text);
    const made = await this.#locked((context) => createCampaign(context, editor, definition));
    if (made !== "id_taken") return;
    const { id: _id, ...patch } = definition;
    const changed = await this.#locked((context) => changeCampaign(context, editor, definition.id, null, patch));
    if (typeof changed === "string") throw new Error(changed);
  }

  async step(step: Step): Promise<void> {
    const at = Date.parse(step.at ?? "");
    const events = this.#memory.eventsOf(step, at);
    this.#memory.step(step);
    if (step.raw !== undefined) await this.#driver.feed([this.#broken(step.raw, at)]);
    else if (step.event !== undefined) {
      await this.#driver.feed(events.map((event) => this.#record(event, at, step.key)));
    } else if (step.sweep === true) await this.#driver.sweep(at, this.#merchant.merchantId);
    else if (step.campaign !== undefined) await this.#edit(step.campaign, at);
    else await this.#redemption(step, at);
  }

  #broken(raw: string, timestamp: number) {
    return { timestamp, key: Buffer.from(`${this.#merchant.merchantId}:c1`), value: Buffer.from(raw, "hex") };
  }

  #record(event: OrderEvent, timestamp: number, key: string | undefined) {
    const merchantId = event.merchantId === vectorMerchant ? this.#merchant.merchantId : event.merchantId;
    this.#customers.add(event.customerId);
    this.#orders.add(event.orderId);
    return {
      timestamp,
      key: Buffer.from(key ?? `${merchantId}:${event.customerId}`),
      value: this.#encoder.encode({ ...event, merchantId }),
    };
  }

  /** Feeds the events of several steps as chunks of `chunkSize`. */
  async feed(steps: readonly Step[], chunkSize: number): Promise<void> {
    const records = steps.flatMap((step) => {
      const at = Date.parse(step.at ?? "");
      const events = this.#memory.eventsOf(step, at);
      this.#memory.step(step);
      if (step.raw !== undefined) return [this.#broken(step.raw, at)];
      return events.map((event) => this.#record(event, at, step.key));
    });
    await this.#driver.feed(records, chunkSize);
  }

  /** What the same story gives in memory, since the last time. */
  expected(): Observed {
    return this.#memory.observe();
  }

  async #redemption(step: Step, at: number): Promise<void> {
    const take = step.reserve ?? step.redeem;
    const id = (take ?? step.commit ?? step.release)?.id;
    if (id === undefined) return;
    if (take !== undefined) this.#redemptions.set(id, randomUUID());
    const redemptionId = this.#redemptions.get(id);
    if (redemptionId === undefined) return void this.#refusals.push(`${Object.keys(step).find((key) => key !== "at")} ${id} not_found`);
    const command = { merchant: this.#merchant, partition: 0, at };
    const result = await this.#locked((context) => {
      if (take === undefined) return this.#commands[step.commit === undefined ? "release" : "commit"](context, command, redemptionId);
      this.#customers.add(take.customerId);
      const request = {
        ...command,
        customerId: take.customerId,
        redemptionId,
        amountMinor: BigInt(take.amountMinor),
        orderId: take.orderId ?? null,
      };
      return step.redeem === undefined
        ? this.#commands.reserve(context, request, (take.ttlSeconds ?? 0) * 1000)
        : this.#commands.redeem(context, request);
    });
    if (typeof result === "string") this.#refusals.push(`${Object.keys(step).find((key) => key !== "at")} ${id} ${result}`);
  }

  async observe(): Promise<Observed> {
    const { merchantId } = this.#merchant;
    const [tally] = await this.#sql<{ duplicates: bigint; parked: bigint }[]>`
      SELECT coalesce(sum(duplicates), 0)::int8 AS duplicates, coalesce(sum(parked), 0)::int8 AS parked FROM cashback.tally WHERE scope = ${merchantId}::uuid`;
    const perCustomer = await this.#seenCustomers();
    const seen: Observed = {
      ...perCustomer,
      ...(await this.#seenOrders()),
      campaigns: await this.#seenCampaigns(),
      redemptions: await this.#seenRedemptions(),
      duplicates: Number(tally?.duplicates ?? 0n),
      parked: Number(tally?.parked ?? 0n),
      notifications: await this.#newNotices(),
      deadLetters: [
        ...this.#deadLetters.splice(0),
        ...this.#driver.deadLetters.slice(this.#seen.deadLetters).map((letter) => letter.reason),
      ],
      refusals: this.#refusals,
    };
    this.#seen.deadLetters = this.#driver.deadLetters.length;
    this.#refusals = [];
    return seen;
  }

  async #newNotices(): Promise<Record<string, unknown>[]> {
    const values = [...this.#driver.notices.slice(this.#seen.notices).map((notice) => notice.value), ...this.#emitted.splice(0)];
    this.#seen.notices = this.#driver.notices.length;
    await this.#notifications.prepare(values);
    return values.map((value) => {
      const decoded = this.#notifications.decode(value);
      if (!decoded.ok) throw new Error(decoded.message);
      return plain(decoded.event);
    });
  }

  async #seenCustomers() {
    const customers: Record<string, unknown> = {};
    const lots: Record<string, unknown> = {};
    const ledger: Record<string, number> = { cost: 0, redeemed: 0, breakage: 0, written_off: 0 };
    let transfers = 0;
    const balances = await cashbackOf(this.#sql, this.#merchant.id, [...this.#customers]);
    for (const customerId of this.#customers) {
      const balance = balances.get(customerId);
      if (balance === undefined) continue;
      customers[customerId] = { cashback: balance };
      for (const lot of (await listLots(this.#sql, this.#merchant.id, customerId, PAGE))?.data ?? []) {
        const { orderId, campaignId, ...states } = lot;
        lots[`${orderId}/${campaignId}`] = Object.fromEntries(
          Object.entries(states).map(([name, value]) => [name.replace(/Minor$/, ""), value]),
        );
      }
      const rows = (await listTransfers(this.#sql, this.#merchant.id, customerId, PAGE))?.data ?? [];
      transfers += rows.length;
      const own = ["pending", "available", "reserved", "debt"];
      for (const name of own) ledger[`${customerId}/${name}`] = 0;
      for (const { debit, credit, amountMinor } of rows) {
        for (const [name, sign] of [
          [debit, -1],
          [credit, 1],
        ] as const) {
          const key = own.includes(name) ? `${customerId}/${name}` : name;
          ledger[key] = (ledger[key] ?? 0) + sign * amountMinor;
        }
      }
    }
    await this.#checkMerchantBalance(ledger);
    return { customers, lots, ledger, transfers };
  }

  async #checkMerchantBalance(ledger: Record<string, number>): Promise<void> {
    const rows = await this.#sql<{ cost: bigint; redeemed: bigint; breakage: bigint; written_off: bigint }[]>`
      SELECT cost, redeemed, breakage, written_off FROM cashback.merchant_balance WHERE merchant = ${this.#merchant.id}`;
    for (const [name, value] of Object.entries(rows[0] ?? {})) {
      if (Number(value) !== ledger[name]) throw new Error(`stored balance of ${name} is ${value}, the ledger says ${ledger[name]}`);
    }
  }

  async #seenOrders() {
    const orders: Record<string, unknown> = {};
    const awards: Record<string, Record<string, number>> = {};
    const awardDetails: Record<string, unknown> = {};
    const clawbacks: Record<string, unknown>[] = [];
    for (const orderId of this.#orders) {
      const view = await findOrder(this.#sql, this.#decoder, this.#merchant.id, orderId);
      if (view === undefined) continue;
      orders[orderId] = { remaining: view.lines.map((line) => line.remainingMinor) };
      awards[orderId] = Object.fromEntries(view.awards.map((award) => [award.campaignId, award.currentMinor]));
      awardDetails[orderId] = Object.fromEntries(
        view.awards.map(({ awardedMinor, ...award }) => [award.campaignId, { ...award, awarded: awardedMinor }]),
      );
      const ofOrder: Record<string, unknown>[] = [];
      for (const refund of view.refunds) {
        for (const { campaignId, amountMinor, ...parts } of refund.clawbacks) {
          const short = Object.fromEntries(Object.entries(parts).map(([name, value]) => [name.replace(/Minor$/, ""), value]));
          ofOrder.push({ orderId, campaignId, amountMinor, ...short });
        }
      }
      clawbacks.push(...ofOrder.slice(this.#clawbacks.get(orderId) ?? 0));
      this.#clawbacks.set(orderId, ofOrder.length);
    }
    return { orders, awards, awardDetails, clawbacks };
  }

  async #seenCampaigns(): Promise<Record<string, unknown>> {
    const seen: Record<string, unknown> = {};
    for (const id of this.#campaigns) {
      const caps: Record<string, number> = {};
      for (const customerId of this.#customers) {
        for (const cap of (await listCaps(this.#sql, this.#merchant.id, customerId)) ?? []) {
          if (cap.campaignId === id) caps[`${customerId}/${cap.period}`] = cap.usedMinor;
        }
      }
      seen[id] = { ...(await campaignStats(this.#sql, this.#merchant.id, id)), caps };
    }
    return seen;
  }

  async #seenRedemptions(): Promise<Record<string, unknown>> {
    const seen: Record<string, unknown> = {};
    for (const [id, redemptionId] of this.#redemptions) {
      const view = await findRedemptionView(this.#sql, this.#merchant.id, redemptionId);
      if (view === undefined) continue;
      seen[id] = { ...view, parts: Object.fromEntries(view.parts.map((part) => [`${part.orderId}/${part.campaignId}`, part.amountMinor])) };
    }
    return seen;
  }
}

async function codecs() {
  return {
    decoder: openOrderDecoder(registry),
    orderEncoder: await openOrderEncoder(registry),
    encoder: await openNotificationEncoder(registry),
    notifications: openNotificationDecoder(registry),
  };
}

function plain(event: NotificationEvent): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(event).map(([name, value]: [string, unknown]) => {
      if (typeof value === "bigint") return [name, Number(value)];
      return [name, name.endsWith("At") && typeof value === "number" ? new Date(value).toISOString() : value];
    }),
  );
}
