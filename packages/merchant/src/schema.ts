import { bytea, instant, int8Numbers } from "@perkstream/postgres/schema";
import { sql } from "drizzle-orm";
import { bigint, check, index, integer, jsonb, pgSchema, primaryKey, text, unique, uuid } from "drizzle-orm/pg-core";

// Checks name their columns plainly: a qualified name does not exist yet when CREATE TABLE is read.

/** Who the merchants are, their settings by version, who may speak for them, and what the API has to remember. */
export const merchantSchema = pgSchema("merchant");

export const merchant = merchantSchema.table(
  "merchant",
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    /** The UUID that events and tokens name. */
    merchantId: uuid("merchant_id").notNull(),
    name: text().notNull(),
    clock: text().notNull().default("real"),
    /** Random, new with every change of this row or of the settings: what caches compare. */
    revision: uuid().notNull().defaultRandom(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [unique("merchant_merchant_id_key").on(table.merchantId), check("merchant_clock_check", sql`"clock" IN ('real', 'manual')`)],
);

export const setting = merchantSchema.table(
  "setting",
  {
    merchant: integer()
      .notNull()
      .references(() => merchant.id),
    /** 1 is what the merchant was created with. */
    version: integer().notNull(),
    currency: text().notNull(),
    timeZone: text("time_zone").notNull(),
    clawbackPolicy: text("clawback_policy").notNull(),
    expiringNoticeDays: integer("expiring_notice_days").notNull(),
    /** Offsets per partition from which currency and time zone hold, for every program. */
    sharedFrom: int8Numbers("shared_from").notNull(),
    /** Offsets per partition from which the rest holds. */
    cashbackFrom: int8Numbers("cashback_from").notNull(),
    actor: text().notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ name: "setting_pkey", columns: [table.merchant, table.version] }),
    check("setting_clawback_policy_check", sql`"clawback_policy" IN ('allow_negative', 'clamp_to_zero')`),
    check("setting_expiring_notice_days_check", sql`"expiring_notice_days" >= 0`),
  ],
);

export const apiKey = merchantSchema.table(
  "api_key",
  {
    id: uuid().primaryKey().defaultRandom(),
    merchant: integer()
      .notNull()
      .references(() => merchant.id),
    name: text().notNull(),
    role: text().notNull(),
    /** SHA-256 of the key; the key itself is shown once and not kept. */
    hash: bytea().notNull(),
    createdAt: instant("created_at").notNull(),
    lastUsedAt: instant("last_used_at"),
    revokedAt: instant("revoked_at"),
  },
  (table) => [
    unique("api_key_hash_key").on(table.hash),
    index("api_key_merchant_idx").on(table.merchant, table.createdAt),
    check("api_key_role_check", sql`"role" IN ('viewer', 'operator', 'owner')`),
  ],
);

export const audit = merchantSchema.table(
  "audit",
  {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    merchant: integer()
      .notNull()
      .references(() => merchant.id),
    at: instant().notNull(),
    actor: text().notNull(),
    requestId: text("request_id").notNull(),
    /** What was done, `settings.update`. */
    action: text().notNull(),
    /** What it was done to, a customer's or campaign's id; null for the merchant. */
    target: text(),
    before: jsonb(),
    after: jsonb(),
  },
  (table) => [index("audit_merchant_idx").on(table.merchant, table.id)],
);

export const idempotency = merchantSchema.table(
  "idempotency",
  {
    /** Who asked: `key:<id>` or `token:<merchant>:<sub>`. */
    credential: text().notNull(),
    method: text().notNull(),
    path: text().notNull(),
    key: text().notNull(),
    requestHash: bytea("request_hash").notNull(),
    /** Null only inside of the transaction that runs the request. */
    status: integer(),
    headers: jsonb(),
    /** Text, so that a repeat gets the same bytes. */
    body: text(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ name: "idempotency_pkey", columns: [table.credential, table.method, table.path, table.key] }),
    index("idempotency_created_at_idx").on(table.createdAt),
  ],
);

/** The first `occurredAt` of an order that was sent without one: a repeat must have the same content. */
export const orderTime = merchantSchema.table(
  "order_time",
  {
    merchant: integer().notNull(),
    orderId: text("order_id").notNull(),
    occurredAt: instant("occurred_at").notNull(),
    answeredAt: instant("answered_at").notNull(),
  },
  (table) => [
    primaryKey({ name: "order_time_pkey", columns: [table.merchant, table.orderId] }),
    index("order_time_answered_at_idx").on(table.answeredAt),
  ],
);
