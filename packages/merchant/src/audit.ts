import { insertSet, type Sql, type Tx } from "@perkstream/postgres";

export interface AuditEntry {
  readonly at: number;
  readonly actor: string;
  readonly requestId: string;
  /** What was done, `settings.update`. */
  readonly action: string;
  /** What it was done to; null for the merchant itself. */
  readonly target: string | null;
  /** JSON values; amounts in minor units as numbers. */
  readonly before: unknown;
  readonly after: unknown;
}

const AUDIT = {
  merchant: "int4",
  at: "timestamptz",
  actor: "text",
  request_id: "text",
  action: "text",
  target: "text",
  before: "jsonb",
  after: "jsonb",
} as const;

/** Writes down a change, in the change's own transaction. */
export async function writeAudit(tx: Tx | Sql, merchant: number, entry: AuditEntry): Promise<void> {
  const { requestId, ...rest } = entry;
  await insertSet(tx, "merchant.audit", AUDIT, [
    { merchant, request_id: requestId, ...rest, before: entry.before ?? null, after: entry.after ?? null },
  ]);
}

interface AuditRow {
  readonly id: bigint;
  readonly at: Date;
  readonly actor: string;
  readonly request_id: string;
  readonly action: string;
  readonly target: string | null;
  readonly before: unknown;
  readonly after: unknown;
}

/** A page of a merchant's audit log, newest first. `cursor` is that of the page before, null for the first. */
export async function listAudit(
  sql: Tx | Sql,
  merchant: number,
  page: { readonly cursor: number | null; readonly limit: number },
): Promise<{ readonly data: readonly AuditEntry[]; readonly nextCursor: number | null }> {
  const rows = await sql<AuditRow[]>`
    SELECT id, at, actor, request_id, action, target, before, after FROM merchant.audit
    WHERE merchant = ${merchant} AND id < ${page.cursor ?? Number.MAX_SAFE_INTEGER} ORDER BY id DESC LIMIT ${page.limit + 1}`;
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  return { data: shown.map(entryOf), nextCursor: rows.length > page.limit && last !== undefined ? Number(last.id) : null };
}

function entryOf({ id: _id, request_id: requestId, at, ...rest }: AuditRow): AuditEntry {
  return { ...rest, requestId, at: at.getTime() };
}
