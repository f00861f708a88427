import { instant, int8Minor, int8Number, int8Numbers, bytea } from "@perkstream/postgres/schema";
import { orderTables } from "@perkstream/orders/schema";
import { hostTables } from "@perkstream/program/schema";
import { sql } from "drizzle-orm";
import { bigint, boolean, index, integer, jsonb, pgSchema, primaryKey, smallint, text, unique } from "drizzle-orm/pg-core";

/**
 * Schema `cashback`. Whoever holds a partition's progress row is the only writer of its customers' rows.
 *
 *  order, refund, parked   what counts (packages/orders), with the awards and what each refund did
 *  account                 a customer's balances, last as-of and when something is due
 *  lot                     an award of an order and what became of it
 *  transfer                the ledger: append-only, double entry
 *  redemption(_part)       what was reserved and spent, and from which lots
 *  campaign(_version)      rules, each version with the offsets from which it holds
 *  cap_usage               what a customer got of a campaign in a period
 *  campaign_budget, budget_allowance   what is used of a budget: one shared row, or an allowance per partition (store/budgets.ts)
 *  campaign_stat, merchant_balance     sums per partition, so that no row is hot
 *  seal                    a hash chain over the transfers of each commit
 *
 * Counters of the progress row: 0 lots, 1 transfers, 2 redemptions, 3 seals.
 */
export const cashback = pgSchema("cashback");

export const { progress, outbox, deadLetter, tally, applied, sweepRequest } = hostTables(cashback);

export const { order, refund, parked } = orderTables(cashback, {
  byCustomer: true,
  order: { awards: text() },
  refund: { put_back: int8Minor("put_back"), clawbacks: jsonb() },
});

const minor = (name: string) =>
  int8Minor(name)
    .notNull()
    .default(sql`0`);

// fillfactor 70 is added by the migration 0001: drizzle has no word for it.
export const account = cashback.table(
  "account",
  {
    acct: bigint({ mode: "number" }).generatedAlwaysAsIdentity().primaryKey(),
    merchant: integer().notNull(),
    customerId: text("customer_id").notNull(),
    part: integer().notNull(),
    /** An order was counted or a command accepted. */
    known: boolean().notNull().default(false),
    pending: minor("pending"),
    available: minor("available"),
    reserved: minor("reserved"),
    debt: minor("debt"),
    lastAsOf: instant("last_as_of"),
    /** No hold ends, no reservation lapses and nothing expires before; null: nothing will. */
    dueAt: instant("due_at"),
    /** No available lot whose expiry was not announced expires before; null: there is none. */
    unannouncedAt: instant("unannounced_at"),
    /** Campaigns that paid this customer: what counts a campaign's customers. */
    campaigns: int8Numbers()
      .notNull()
      .default(sql`'{}'`),
  },
  (table) => [
    unique("account_customer_key").on(table.merchant, table.customerId),
    index("account_due_idx")
      .on(table.part, table.merchant, table.dueAt)
      .where(sql`due_at IS NOT NULL`),
    index("account_unannounced_idx")
      .on(table.part, table.merchant, table.unannouncedAt)
      .where(sql`unannounced_at IS NOT NULL`),
  ],
);

export const lot = cashback.table(
  "lot",
  {
    acct: int8Number().notNull(),
    /** partition × 2^40 + n: rises in the order of granting. */
    lotId: int8Number("lot_id").notNull(),
    orderId: text("order_id").notNull(),
    campaign: integer().notNull(),
    granted: int8Minor().notNull(),
    pending: minor("pending"),
    available: minor("available"),
    reserved: minor("reserved"),
    redeemed: minor("redeemed"),
    expired: minor("expired"),
    reversed: minor("reversed"),
    availableAt: instant("available_at").notNull(),
    expiresAt: instant("expires_at"),
    noticed: boolean().notNull().default(false),
  },
  (table) => [
    primaryKey({ name: "lot_pkey", columns: [table.acct, table.lotId] }),
    index("lot_hold_idx")
      .on(table.acct, table.availableAt)
      .where(sql`pending > 0`),
    index("lot_use_idx")
      .on(table.acct, table.expiresAt, table.lotId)
      .where(sql`available > 0`),
  ],
);

export const transfer = cashback.table(
  "transfer",
  {
    acct: int8Number().notNull(),
    /** partition × 2^40 + n. */
    id: int8Number().notNull(),
    lot: int8Number().notNull(),
    /** Numbers of domain/ledger.ts. */
    debit: smallint().notNull(),
    credit: smallint().notNull(),
    kind: smallint().notNull(),
    amount: int8Minor().notNull(),
    /** Cause: an event of the account's partition, a command, or a moment that came (`as_of`) when both are null. */
    off: int8Number(),
    requestId: text("request_id"),
    asOf: instant("as_of").notNull(),
  },
  (table) => [primaryKey({ name: "transfer_pkey", columns: [table.acct, table.id] })],
);

export const redemption = cashback.table(
  "redemption",
  {
    seq: int8Number().primaryKey(),
    redemptionId: text("redemption_id").notNull(),
    merchant: integer().notNull(),
    acct: int8Number().notNull(),
    orderId: text("order_id"),
    amount: int8Minor().notNull(),
    /** 1 reserved, 2 committed, 3 released, 4 lapsed. */
    status: smallint().notNull(),
    createdAt: instant("created_at").notNull(),
    expiresAt: instant("expires_at"),
  },
  (table) => [
    unique("redemption_id_key").on(table.redemptionId),
    index("redemption_due_idx")
      .on(table.acct, table.expiresAt)
      .where(sql`status = 1`),
    index("redemption_order_idx")
      .on(table.acct, table.orderId)
      .where(sql`order_id IS NOT NULL`),
  ],
);

export const redemptionPart = cashback.table(
  "redemption_part",
  {
    redemption: int8Number().notNull(),
    n: integer().notNull(),
    lot: int8Number().notNull(),
    amount: int8Minor().notNull(),
    restored: minor("restored"),
  },
  (table) => [primaryKey({ name: "redemption_part_pkey", columns: [table.redemption, table.n] })],
);

export const campaign = cashback.table(
  "campaign",
  {
    campaign: integer().generatedAlwaysAsIdentity().primaryKey(),
    merchant: integer().notNull(),
    campaignId: text("campaign_id").notNull(),
    /** The last version. */
    version: integer().notNull(),
    /** Cap periods whose usage is kept (bits of domain/caps.ts), and those of them that were from the first version on. */
    capPeriods: smallint("cap_periods").notNull(),
    capPeriodsFromStart: smallint("cap_periods_from_start").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [unique("campaign_id_key").on(table.merchant, table.campaignId)],
);

export const campaignVersion = cashback.table(
  "campaign_version",
  {
    campaign: integer()
      .notNull()
      .references(() => campaign.campaign, { onDelete: "cascade" }),
    version: integer().notNull(),
    /** In the words of the API. */
    definition: jsonb().notNull(),
    /** Holds from these offsets, by partition. */
    fromOff: int8Numbers("from_off").notNull(),
    actor: text().notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [primaryKey({ name: "campaign_version_pkey", columns: [table.campaign, table.version] })],
);

/** Changes with every edit of a merchant's campaigns: what the program's cache compares. */
export const campaignRevision = cashback.table("campaign_revision", {
  merchant: integer().primaryKey(),
  revision: int8Number().notNull(),
});

export const capUsage = cashback.table(
  "cap_usage",
  {
    acct: int8Number().notNull(),
    campaign: integer().notNull(),
    period: smallint().notNull(),
    /** Of domain/caps.ts. */
    key: integer().notNull(),
    used: int8Minor().notNull(),
  },
  (table) => [primaryKey({ name: "cap_usage_pkey", columns: [table.acct, table.campaign, table.period, table.key] })],
);

export const campaignBudget = cashback.table("campaign_budget", {
  campaign: integer()
    .primaryKey()
    .references(() => campaign.campaign, { onDelete: "cascade" }),
  /** Null: the campaign had one; nothing of this row is kept up. */
  budget: int8Minor(),
  /** With what was handed to allowances, used there or not. */
  used: minor("used"),
  /** True: this row is locked by every chunk that may award. False: partitions have allowances. */
  shared: boolean().notNull().default(true),
});

export const budgetAllowance = cashback.table(
  "budget_allowance",
  {
    campaign: integer()
      .notNull()
      .references(() => campaign.campaign, { onDelete: "cascade" }),
    part: integer().notNull(),
    /** What it was handed in all. */
    allowance: minor("allowance"),
    /** Less what clawbacks returned; below 0 when they returned more than was awarded since the row was emptied. */
    used: minor("used"),
  },
  (table) => [primaryKey({ name: "budget_allowance_pkey", columns: [table.campaign, table.part] })],
);

export const campaignStat = cashback.table(
  "campaign_stat",
  {
    campaign: integer().notNull(),
    part: integer().notNull(),
    awarded: minor("awarded"),
    reversed: minor("reversed"),
    /** Less what was put back. */
    redeemed: minor("redeemed"),
    customers: int8Number().notNull().default(0),
  },
  (table) => [primaryKey({ name: "campaign_stat_pkey", columns: [table.campaign, table.part] })],
);

/** Credits less debits of a merchant's own accounts. */
export const merchantBalance = cashback.table(
  "merchant_balance",
  {
    merchant: integer().notNull(),
    part: integer().notNull(),
    cost: minor("cost"),
    redeemed: minor("redeemed"),
    breakage: minor("breakage"),
    writtenOff: minor("written_off"),
  },
  (table) => [primaryKey({ name: "merchant_balance_pkey", columns: [table.merchant, table.part] })],
);

export const seal = cashback.table(
  "seal",
  {
    part: integer().notNull(),
    n: int8Number().notNull(),
    /** Transfers `fromId` to `toId` of the partition, both included. */
    fromId: int8Number("from_id").notNull(),
    toId: int8Number("to_id").notNull(),
    /** SHA-256 of the previous seal's hash and these transfers. */
    hash: bytea().notNull(),
  },
  (table) => [primaryKey({ name: "seal_pkey", columns: [table.part, table.n] })],
);
