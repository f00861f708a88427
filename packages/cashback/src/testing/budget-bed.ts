import { fixedRegistry, openNotificationEncoder, openOrderDecoder, openOrderEncoder, type OrderEvent, topics } from "@perkstream/contracts";
import { createMerchant, migrations as merchantMigrations } from "@perkstream/merchant";
import { openSql, type Sql, type Tx } from "@perkstream/postgres";
import { testDatabase } from "@perkstream/postgres/testing";
import { type CommandContext, createDriver, type DrivenRecord, type Driver, ensureProgress, withPartitions } from "@perkstream/program";
import { type CampaignPatch, changeCampaign, createCampaign } from "../commands/campaigns.ts";
import { migrations } from "../migrations.ts";
import { createCashbackProgram } from "../program.ts";
import { definitionOf } from "./campaigns.ts";
import type { CampaignText } from "./vectors.ts";
import { tierOf } from "./tier.ts";

const AT = 1_750_000_000_000;
const registry = fixedRegistry();
const scope = { program: "cashback", topic: topics.orders };

/** What one statement sees of a campaign's budget. All amounts in minor units. */
export interface BudgetSeen {
  readonly budget: bigint | null;
  readonly shared: boolean;
  /** Of the row: used, or handed to allowances. */
  readonly taken: bigint;
  /** What allowances still hold. */
  readonly held: bigint;
  /** Awarded less reversed, by the sums per partition. */
  readonly used: bigint;
  readonly version: number;
}

/** What happens in an owner's transactions, for tests that interfere. */
export interface Hooks {
  readonly statement?: (text: string) => void;
  /** After the program has saved, before the rest. */
  readonly saved?: () => void;
}

export interface Bed {
  readonly url: string;
  readonly sql: Sql;
  readonly partitions: number;
  /** A process that owns these partitions: a pool with the service's rights and a program of its own. */
  owner(owned: readonly number[], hooks?: Hooks): Promise<Driver>;
  /** A merchant with these campaigns: active, stacked, 10 % unless said otherwise. */
  merchant(campaigns: readonly Partial<CampaignText>[]): Promise<Shop>;
  locked<T>(run: (context: CommandContext) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface Shop {
  readonly id: number;
  /** An order of a customer of that partition; at 10 % it earns a tenth of the net. */
  order(partition: number, orderId: string, netMinor: number): DrivenRecord;
  refund(partition: number, orderId: string, refundId: string, netMinor: number): DrivenRecord;
  /** Resolves to what the edit's transaction left. */
  edit(campaignId: string, patch: CampaignPatch): Promise<BudgetSeen>;
  /** Surrogate id. */
  campaign(campaignId: string): Promise<number>;
  seen(campaignId: string): Promise<BudgetSeen>;
  /** Awards of the campaign's orders: what was earned, and what was paid at first and is left of it. */
  awards(campaignId: string): Promise<{ earned: bigint; awarded: bigint; current: bigint }[]>;
}

/** Owners of the partitions of a database of its own. */
export async function openBed(postgresUrl: string, partitions: number): Promise<Bed> {
  const database = await testDatabase(postgresUrl, [merchantMigrations, migrations]);
  const sql = openSql(database.url, { max: 6, applicationName: "budget-test", lockTimeoutMs: 20_000 });
  await ensureProgress(sql, scope, partitions);
  const pools: Sql[] = [sql];
  const decoder = openOrderDecoder(registry);
  const encoder = await openNotificationEncoder(registry);
  const orders = await openOrderEncoder(registry);
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  const locked = <T>(run: (context: CommandContext) => Promise<T>) => withPartitions(sql, { ...scope, partitions: all }, run);
  return {
    url: database.url,
    sql,
    partitions,
    locked,
    async owner(owned, hooks = {}) {
      const pool = openSql(database.url, {
        max: 3,
        applicationName: `owner-${owned.join("-")}`,
        role: "perkstream_cashback",
        byIndex: true,
        lockTimeoutMs: 20_000,
      });
      pools.push(pool);
      const tier = tierOf({ progress: () => Promise.resolve(new Map<number, number>()), levelsAt: () => Promise.resolve([]) });
      const program = createCashbackProgram({ decoder, encoder, tier, sql: pool });
      const hooked: typeof program = {
        ...program,
        load: (context, entries) => program.load({ ...context, tx: watched(context.tx, hooks) }, entries),
        save: async (context, work) => {
          await program.save({ ...context, tx: watched(context.tx, hooks) }, work);
          hooks.saved?.();
        },
      };
      return createDriver(hooked, pool, partitions, owned);
    },
    async merchant(campaigns) {
      const made = await createMerchant(sql, { name: "Shop", currency: "EUR", timeZone: "UTC" }, { actor: "test", at: 0 });
      if (made === null) throw new Error("the merchant's id is taken");
      const editor = { merchant: made.id, actor: "test", at: 0 };
      for (const [i, text] of campaigns.entries()) {
        const definition = definitionOf({ id: `k${i}`, rateBps: 1_000, stacking: "add", tierMultiplier: false, ...text });
        await locked((context) => createCampaign(context, editor, definition));
      }
      const encode = (event: OrderEvent) => orders.encode(event);
      const shop: Shop = shopOf(sql, made, encode, async (campaignId, patch) => {
        const campaign = await shop.campaign(campaignId);
        return locked(async (context) => {
          const result = await changeCampaign(context, editor, campaignId, null, patch);
          if (typeof result === "string") throw new Error(result);
          return budgetOf(context.tx, campaign);
        });
      });
      return shop;
    },
    async close() {
      await Promise.all(pools.map((pool) => pool.end({ timeout: 2 })));
      await database.drop();
    },
  };
}

/** The transaction, each statement told before it is sent. */
function watched(tx: Tx, { statement }: Hooks): Tx {
  if (statement === undefined) return tx;
  return new Proxy(tx, {
    get: (target, name) => {
      if (name !== "unsafe") return Reflect.get(target, name) as unknown;
      return (...args: Parameters<Tx["unsafe"]>) => {
        statement(args[0]);
        return target.unsafe(...args);
      };
    },
  });
}

function shopOf(
  sql: Sql,
  { id, merchantId }: { readonly id: number; readonly merchantId: string },
  encode: (event: OrderEvent) => Buffer,
  edit: Shop["edit"],
): Shop {
  const record = (partition: number, event: OrderEvent) => ({
    partition,
    timestamp: AT,
    key: Buffer.from(`${merchantId}:${event.customerId}`),
    value: encode(event),
  });
  const common = (partition: number, orderId: string) => ({ merchantId, customerId: `c${partition}`, orderId, occurredAt: AT });
  const campaign = async (campaignId: string) => {
    const [row] = await sql<
      { campaign: number }[]
    >`SELECT campaign FROM cashback.campaign WHERE merchant = ${id} AND campaign_id = ${campaignId}`;
    if (row === undefined) throw new Error(`no campaign ${campaignId}`);
    return row.campaign;
  };
  return {
    id,
    edit,
    campaign,
    order: (partition, orderId, netMinor) => {
      const lines = [{ sku: "s", category: null, quantity: 1, netMinor: BigInt(netMinor) }];
      return record(partition, { type: "OrderPlaced", ...common(partition, orderId), currency: "EUR", lines, paidWithCashbackMinor: 0n });
    },
    refund: (partition, orderId, refundId, netMinor) =>
      record(partition, {
        type: "OrderRefunded",
        ...common(partition, orderId),
        refundId,
        lines: [{ line: 0, netMinor: BigInt(netMinor) }],
      }),
    seen: async (campaignId) => budgetOf(sql, await campaign(campaignId)),
    awards: async (campaignId) => sql<{ earned: bigint; awarded: bigint; current: bigint }[]>`
      SELECT (a->>8)::int8 AS earned, (a->>12)::int8 AS awarded, (a->>13)::int8 AS current
      FROM cashback."order" o, jsonb_array_elements(o.awards::jsonb->'a') AS a
      WHERE (a->>0)::int4 = ${await campaign(campaignId)}`,
  };
}

/** In one statement, so in one snapshot: what holds of it holds at every moment. */
export async function budgetOf(sql: Sql | Tx, campaign: number): Promise<BudgetSeen> {
  const [row] = await sql.unsafe<BudgetSeen[]>(
    `SELECT b.budget, coalesce(b.shared, false) AS shared, coalesce(b.used, 0)::int8 AS taken, c.version,
      coalesce((SELECT sum(allowance - used) FROM cashback.budget_allowance WHERE campaign = c.campaign), 0)::int8 AS held,
      coalesce((SELECT sum(awarded - reversed) FROM cashback.campaign_stat WHERE campaign = c.campaign), 0)::int8 AS used
    FROM cashback.campaign c LEFT JOIN cashback.campaign_budget b USING (campaign) WHERE c.campaign = $1`,
    [campaign],
  );
  if (row === undefined) throw new Error(`no campaign ${campaign}`);
  return row;
}
