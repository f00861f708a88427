import type { Sql, Tx } from "@perkstream/postgres";
import { createHash, randomBytes } from "node:crypto";
import type { Act } from "./edit.ts";
import type { Role } from "./settings.ts";

/** A key as it may be shown; the secret itself is not kept. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
}

/** Whom a valid key speaks for. */
export interface ApiKeyHolder {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Surrogate id. */
  readonly merchant: number;
  readonly merchantId: string;
}

interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
  readonly revoked_at: Date | null;
}

const PREFIX = "pk_";
/** How stale a key's last use may be: a hot key's row is written once a minute. */
const TOUCH_EVERY_MS = 60_000;

/** Makes a key of 256 random bits. `secret` is to be shown once. */
export async function createApiKey(
  tx: Tx | Sql,
  merchant: number,
  key: { readonly name: string; readonly role: Role },
  at: number,
): Promise<{ readonly key: ApiKey; readonly secret: string }> {
  const secret = PREFIX + randomBytes(32).toString("base64url");
  const rows = await tx<ApiKeyRow[]>`
    INSERT INTO merchant.api_key (merchant, name, role, hash, created_at)
    VALUES (${merchant}, ${key.name}, ${key.role}, ${hashOf(secret)}, ${new Date(at).toISOString()}::timestamptz)
    RETURNING id, name, role, created_at, last_used_at, revoked_at`;
  return { key: shown(rows[0]!), secret };
}

/** Whom a key speaks for; null when there is no such key or it was revoked. */
export async function findApiKey(sql: Tx | Sql, secret: string): Promise<ApiKeyHolder | null> {
  if (!secret.startsWith(PREFIX)) return null;
  const [row] = await sql<{ id: string; name: string; role: Role; merchant: number; merchant_id: string }[]>`
    SELECT k.id, k.name, k.role, k.merchant, m.merchant_id FROM merchant.api_key k JOIN merchant.merchant m ON m.id = k.merchant
    WHERE k.hash = ${hashOf(secret)} AND k.revoked_at IS NULL`;
  return row === undefined ? null : { id: row.id, name: row.name, role: row.role, merchant: row.merchant, merchantId: row.merchant_id };
}

/** All keys of a merchant, revoked ones too, newest first. */
export async function listApiKeys(sql: Tx | Sql, merchant: number): Promise<ApiKey[]> {
  const rows = await sql<ApiKeyRow[]>`
    SELECT id, name, role, created_at, last_used_at, revoked_at FROM merchant.api_key WHERE merchant = ${merchant} ORDER BY created_at DESC, id`;
  return rows.map(shown);
}

/** False when the merchant has no such key. A key that was revoked stays as it is. */
export async function revokeApiKey(tx: Tx | Sql, merchant: number, id: string, { at }: Pick<Act, "at">): Promise<boolean> {
  const rows = await tx`
    UPDATE merchant.api_key SET revoked_at = coalesce(revoked_at, ${new Date(at).toISOString()}::timestamptz)
    WHERE merchant = ${merchant} AND id::text = ${id} RETURNING id`;
  return rows.length === 1;
}

/** Notes the last use, at most once a minute per key. */
export async function touchApiKey(sql: Tx | Sql, id: string, at: number): Promise<void> {
  const due = new Date(at - TOUCH_EVERY_MS).toISOString();
  await sql`
    UPDATE merchant.api_key SET last_used_at = ${new Date(at).toISOString()}::timestamptz
    WHERE id = ${id} AND (last_used_at IS NULL OR last_used_at <= ${due}::timestamptz)`;
}

function hashOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

function shown(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    createdAt: row.created_at.getTime(),
    lastUsedAt: row.last_used_at?.getTime() ?? null,
    revokedAt: row.revoked_at?.getTime() ?? null,
  };
}
