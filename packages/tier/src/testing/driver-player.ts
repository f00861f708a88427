import { fixedRegistry, openOrderDecoder, type OrderEncoder, type TierChanged } from "@perkstream/contracts";
import { createMerchant, type Merchant } from "@perkstream/merchant";
import type { Sql } from "@perkstream/postgres";
import { type DeadLetter, type Driver, type Notice, withPartitions } from "@perkstream/program";
import { randomUUID } from "node:crypto";
import { runTierCommand, type TierCommand } from "../commands.ts";
import { previewLadder, putLadder, type LadderChange } from "../edit-ladder.ts";
import { createLevels } from "../levels.ts";
import { customerTier, tierCounts, tierHistory } from "../queries.ts";
import { levelJson } from "../store/ladders.ts";
import type { CustomerSeen, Player } from "./expectations.ts";
import { decodeTierChanged, type NoticeCodec } from "./memory-player.ts";
import type { LadderSpec, PinSpec, Vector, VectorStep } from "./vectors.ts";

export interface Stage {
  readonly sql: Sql;
  /** The program as it runs now. */
  readonly driver: Driver;
  /** Of all runs so far. */
  notices(): readonly Notice[];
  deadLetters(): readonly DeadLetter[];
  readonly orderEncoder: OrderEncoder;
  readonly codec: NoticeCodec;
}

type EventStep = VectorStep & { readonly kind: "event" | "raw" };

const orderDecoder = openOrderDecoder(fixedRegistry());

const SCOPE = { program: "tier", topic: "orders.v1", partitions: [0] };

/** Lives through a case with the program, its transactions and a database; a new merchant stands for the case's. */
export class DriverPlayer implements Player {
  readonly #stage: Stage;
  readonly #vector: Vector;
  readonly #merchant: Merchant;
  /** Offset 0 of the case. */
  readonly #origin: number;
  #notices: number;
  #deadLetters: number;

  private constructor(stage: Stage, vector: Vector, merchant: Merchant) {
    this.#stage = stage;
    this.#vector = vector;
    this.#merchant = merchant;
    this.#origin = stage.driver.nextOffset(0);
    this.#notices = stage.notices().length;
    this.#deadLetters = stage.deadLetters().length;
  }

  static async open(stage: Stage, vector: Vector): Promise<DriverPlayer> {
    const { currency, timeZone } = vector;
    const merchant = await createMerchant(
      stage.sql,
      { merchantId: randomUUID(), name: vector.id, currency, timeZone, clock: "manual" },
      { actor: "test", at: 0 },
    );
    if (merchant === null) throw new Error("the id is taken");
    const player = new DriverPlayer(stage, vector, merchant);
    await player.#put(0, vector.ladder);
    return player;
  }

  event(step: EventStep): Promise<void> {
    return this.events([step], 1);
  }

  /** Feeds events in chunks of `chunkSize`. */
  async events(steps: readonly EventStep[], chunkSize: number): Promise<void> {
    const records = steps.map((step) => ({
      timestamp: step.atMs,
      key: Buffer.from(step.key.replace(this.#vector.merchantId, this.#merchant.merchantId)),
      value: step.kind === "raw" ? step.value : this.#stage.orderEncoder.encode(this.#renamed(step.event)),
    }));
    await this.#stage.driver.feed(records, chunkSize);
  }

  #renamed<T extends { readonly merchantId: string }>(event: T): T {
    return event.merchantId === this.#vector.merchantId ? { ...event, merchantId: this.#merchant.merchantId } : event;
  }

  async sweep(atMs: number): Promise<void> {
    await this.#stage.driver.sweep(atMs, this.#merchant.merchantId);
  }

  async command(kind: "pin" | "promote" | "demote" | "unpin", atMs: number, spec: PinSpec): Promise<string | null> {
    const { note, untilAt } = spec;
    const command: TierCommand =
      kind === "unpin" ? { kind } : kind === "pin" ? { kind, levelId: spec.levelId ?? "", note, untilAt } : { kind, note, untilAt };
    const target = { merchant: this.#merchant, customerId: spec.customerId, partition: 0 };
    const by = { id: randomUUID(), actor: spec.actor, atMs };
    const result = await withPartitions(this.#stage.sql, SCOPE, (context) =>
      runTierCommand(context, this.#stage.codec.encoder, target, command, by),
    );
    return "refused" in result ? result.refused : null;
  }

  async edit(atMs: number, ladder: LadderSpec, background = true): Promise<void> {
    await this.#put(atMs, ladder);
    // Every customer is evaluated in the background; no time passes for this merchant.
    if (background) await this.#stage.driver.sweep(0);
  }

  async #put(atMs: number, ladder: LadderSpec): Promise<void> {
    const put = await withPartitions(this.#stage.sql, SCOPE, (context) =>
      putLadder(context, this.#merchant.id, null, changeOf(ladder, atMs)),
    );
    if ("staleVersion" in put) throw new Error("the ladder was stale");
  }

  preview(atMs: number, ladder: LadderSpec): Promise<{ up: number; down: number; stay: number }> {
    return previewLadder(this.#stage.sql, this.#merchant, changeOf(ladder, atMs));
  }

  async customer(customerId: string, atMs: number): Promise<CustomerSeen | null> {
    const { sql } = this.#stage;
    const seen = await customerTier(sql, this.#merchant, customerId, atMs);
    const history = await tierHistory(sql, this.#merchant, customerId, { limit: 1_000 });
    if (seen === null || history === null) return null;
    return {
      tier: seen.tier?.id ?? null,
      metric: seen.metric,
      lastPeriodMetric: seen.lastPeriodMetric,
      validUntil: seen.tier?.validUntil ?? null,
      pinned: seen.tier?.pinned ?? false,
      history: history.toReversed().map((entry) => Object.assign(entry, { offset: entry.offset - this.#origin })),
    };
  }

  async remaining(orderId: string): Promise<readonly number[] | null> {
    const [row] = await this.#stage.sql<{ payload: Buffer; remaining: string | null }[]>`
      SELECT payload, remaining FROM tier."order" WHERE merchant = ${this.#merchant.id} AND order_id = ${orderId}`;
    if (row === undefined) return null;
    if (row.remaining !== null) return row.remaining.slice(1, -1).split(",").map(Number);
    await orderDecoder.prepare([row.payload]);
    const decoded = orderDecoder.decode(row.payload);
    if (!decoded.ok || decoded.event.type !== "OrderPlaced") throw new Error(`the order ${orderId} does not decode`);
    return decoded.event.lines.map((line) => Number(line.netMinor));
  }

  /** What cashback is told about the orders of this log, however far the program has gone on since. */
  async multipliers(orders: readonly { readonly customerId: string; readonly offset: number }[]): Promise<Record<number, number>> {
    const questions = orders.map(({ customerId, offset }) => ({
      merchant: this.#merchant.id,
      customerId,
      partition: 0,
      offset: this.#origin + offset,
    }));
    const answers = await createLevels().levelsAt(this.#stage.sql, questions);
    return Object.fromEntries(orders.map(({ offset }, i) => [offset, answers[i]!.multiplierBps]));
  }

  async takeNotices(): Promise<readonly TierChanged[]> {
    const all = [...this.#stage.notices().slice(this.#notices), ...(await this.#others())];
    this.#notices = this.#stage.notices().length;
    return decodeTierChanged(this.#stage.codec, all);
  }

  /** What commands put into the outbox: the driver only tells of its own. */
  async #others() {
    const own = new Set(this.#stage.notices().map(({ id }) => id));
    const rows = await this.#stage.sql<
      { id: string; key: string; value: Buffer }[]
    >`SELECT id, key, value FROM tier.outbox ORDER BY part, seq`;
    await this.#stage.sql`DELETE FROM tier.outbox`;
    return rows.filter(({ id }) => !own.has(id));
  }

  takeDeadLetters(): readonly string[] {
    const deadLetters = this.#stage.deadLetters();
    const taken = deadLetters.slice(this.#deadLetters).map(({ reason }) => reason);
    this.#deadLetters = deadLetters.length;
    return taken;
  }

  async duplicates(): Promise<number> {
    return (await tierCounts(this.#stage.sql, this.#merchant.merchantId)).duplicates;
  }

  async parked(): Promise<number> {
    return (await tierCounts(this.#stage.sql, this.#merchant.merchantId)).parked;
  }
}

function changeOf({ settings, levels, apply }: LadderSpec, atMs: number): LadderChange {
  const { days, ...rest } = settings;
  return { settings: days === null ? rest : { ...rest, days }, levels: levels.map(levelJson), apply, actor: "ann", atMs };
}
