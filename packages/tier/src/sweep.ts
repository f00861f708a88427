import type { NotificationEncoder } from "@perkstream/contracts";
import { loadMerchants, loadMerchantsById, type Merchant, type MerchantCache } from "@perkstream/merchant";
import { arrayLiteral, fromSet, insertSet, type Sql, type Tx } from "@perkstream/postgres";
import type { AppliedStep, ChunkContext, SweepOutcome, SweepRequest } from "@perkstream/program";
import { ChangeLog } from "./changes.ts";
import type { Customer } from "./customer.ts";
import { ACCOUNT_COLUMNS, type AccountRow } from "./store/account-row.ts";
import { openForTime, type RulesCache } from "./store/load.ts";
import { numbering, saveCustomers } from "./store/save.ts";

interface SweepDependencies {
  readonly encoder: NotificationEncoder;
  readonly rulesCache: RulesCache;
  readonly merchantCache: MerchantCache;
}

/** A customer to look at, and up to when (ms). */
interface Selected {
  readonly row: AccountRow;
  readonly until: number;
  readonly kind: "edit" | "sweep";
}

/**
 * One bounded step of what time and ladder edits cause in a partition: first customers that were not evaluated with the
 * newest ladder, then those with something due. A customer comes in one of the two, never in both.
 */
export function createSweep({ encoder, rulesCache, merchantCache }: SweepDependencies) {
  return async (context: ChunkContext, request: SweepRequest): Promise<SweepOutcome> => {
    const { tx, progress } = context;
    const effect = { partition: request.partition, offset: progress.get(request.partition)!.nextOffset };
    const scope = request.scope === null ? null : ((await loadMerchants(tx, [request.scope], merchantCache)).get(request.scope) ?? null);
    if (request.scope !== null && scope === null) return { notices: [], applied: [], more: false };
    const edited = await selectEdited(tx, request, scope);
    const due = edited.length > 0 ? [] : await selectDue(tx, request, scope, merchantCache);
    const selected = edited.length > 0 ? edited : due;
    if (selected.length === 0) return { notices: [], applied: [], more: edited.length > 0 };
    const merchants = await loadMerchantsById(
      tx,
      selected.map(({ row }) => row.merchant),
    );
    const rules = await rulesCache.load(tx, merchants.values());
    const customers = await openForTime(
      tx,
      selected.map(({ row }) => row),
      rules,
      () => effect.offset,
    );
    const changes = new ChangeLog(encoder, numbering(progress));
    const applied: AppliedStep[] = [];
    for (const [i, customer] of customers.entries()) applied.push(...applyTo(customer, selected[i]!, effect, changes));
    await saveCustomers(tx, customers, changes.recorded, () => effect.offset);
    return { notices: changes.takeNotices(), applied, more: edited.length > 0 || selected.length === request.limit };
  };
}

function applyTo(
  customer: Customer,
  { until, kind }: Selected,
  effect: { partition: number; offset: number },
  changes: ChangeLog,
): AppliedStep[] {
  const before = customer.state;
  if (kind === "edit") {
    customer.catchUp(effect, changes);
  } else {
    customer.bringForward(effect, [until], changes);
    // Also where nothing was due after all: the stored moment is then a later one.
    customer.changed = true;
    customer.stored = null;
  }
  if (customer.state === before) return [];
  const step = { partition: effect.partition, kind, customer: customer.acct };
  if (kind === "sweep") return [{ ...step, asOf: until, detail: null }];
  const detail = { from: before.ladderVersion, to: customer.state.ladderVersion };
  return [{ ...step, asOf: customer.state.lastAsOf ?? until, detail }];
}

/** The next customers of a merchant whose ladder was edited; when there are no more, the edit is done in this partition. */
async function selectEdited(tx: Tx, { partition, limit }: SweepRequest, scope: Merchant | null): Promise<readonly Selected[]> {
  const pending: readonly { merchant: number; after_acct: bigint }[] = await tx.unsafe(
    `SELECT merchant, after_acct FROM tier.edit_pending WHERE part = $1 AND merchant = coalesce($2::int4, merchant) ORDER BY merchant`,
    [partition, scope?.id ?? null],
    { prepare: true },
  );
  for (const { merchant, after_acct } of pending) {
    const rows: readonly AccountRow[] = await tx.unsafe(
      `SELECT ${ACCOUNT_COLUMNS} FROM tier.account a WHERE a.part = $1 AND a.merchant = $2 AND a.acct > $3 AND a.known ORDER BY a.acct LIMIT $4`,
      [partition, merchant, String(after_acct), limit],
      { prepare: true },
    );
    const last = rows.at(-1);
    if (last !== undefined) {
      await tx.unsafe(
        `UPDATE tier.edit_pending SET after_acct = $3 WHERE part = $1 AND merchant = $2`,
        [partition, merchant, String(last.acct)],
        { prepare: true },
      );
      return rows.map((row) => ({ row, until: 0, kind: "edit" }));
    }
    await tx.unsafe(`DELETE FROM tier.edit_pending WHERE part = $1 AND merchant = $2`, [partition, merchant], { prepare: true });
  }
  return [];
}

async function selectDue(tx: Tx, request: SweepRequest, scope: Merchant | null, cache: MerchantCache): Promise<readonly Selected[]> {
  const { partition, until, limit } = request;
  if (scope !== null) return selectBounded(tx, partition, limit, [{ merchant: scope.id, until }]);
  if (request.backlog) return selectBounded(tx, partition, limit, await readSoFar(tx, partition, until, cache));
  const rows: readonly AccountRow[] = await tx.unsafe(
    `SELECT ${ACCOUNT_COLUMNS} FROM tier.account a WHERE a.part = $1 AND a.due_at <= $2::timestamptz AND NOT a.manual ORDER BY a.due_at LIMIT $3`,
    [partition, new Date(until).toISOString(), limit],
    { prepare: true },
  );
  return rows.map((row) => ({ row, until, kind: "sweep" }));
}

interface Bound {
  readonly merchant: number;
  readonly until: number;
}

/** While there is a backlog, each merchant's time goes no further than its own records were read (docs/protocols.md, "Sweep bound"). */
async function readSoFar(tx: Tx, partition: number, until: number, cache: MerchantCache): Promise<readonly Bound[]> {
  const rows: readonly { scope: string; high_at: Date }[] = await tx.unsafe(
    `SELECT scope, high_at FROM tier.tally WHERE part = $1`,
    [partition],
    { prepare: true },
  );
  const merchants = await loadMerchants(
    tx,
    rows.map((row) => row.scope),
    cache,
  );
  return rows.flatMap(({ scope, high_at }) => {
    const merchant = merchants.get(scope);
    if (merchant === undefined || merchant.clock === "manual") return [];
    return [{ merchant: merchant.id, until: Math.min(until, high_at.getTime()) }];
  });
}

const BOUND = { merchant: "int4", until: "timestamptz" } as const;

async function selectBounded(tx: Tx, partition: number, limit: number, bounds: readonly Bound[]): Promise<readonly Selected[]> {
  if (bounds.length === 0) return [];
  const set = fromSet(
    BOUND,
    bounds.map((bound) => ({ ...bound })),
    3,
  );
  const rows: readonly (AccountRow & { until: Date })[] = await tx.unsafe(
    `SELECT a.*, k.until FROM ${set.text} AS k CROSS JOIN LATERAL (
       SELECT ${ACCOUNT_COLUMNS}, a.due_at FROM tier.account a WHERE a.part = $1 AND a.merchant = k.merchant AND a.due_at <= k.until ORDER BY a.due_at LIMIT $2
     ) AS a ORDER BY a.due_at LIMIT $2`,
    [partition, limit, ...set.params],
    { prepare: true },
  );
  return rows.map((row) => ({ row, until: row.until.getTime(), kind: "sweep" }));
}

/**
 * After a change of a merchant's time zone: every due moment is looked at anew by the next sweep of each partition.
 * To be called in the transaction of the change, under the locks of this program's partitions.
 */
export async function forgetDueMoments(tx: Tx, merchant: number): Promise<void> {
  await tx.unsafe(`UPDATE tier.account SET due_at = to_timestamp(0) WHERE merchant = $1 AND due_at IS NOT NULL`, [merchant]);
}

/** Marks a merchant's customers for evaluation with a new ladder, in every partition. */
export async function markEdited(tx: Tx, merchant: number, partitions: readonly number[]): Promise<void> {
  await insertSet(
    tx,
    "tier.edit_pending",
    { part: "int4", merchant: "int4", after_acct: "int8" } as const,
    partitions.map((part) => ({ part, merchant, after_acct: 0 })),
    "ON CONFLICT (part, merchant) DO UPDATE SET after_acct = 0",
  );
}

/** Of these partitions, those where a sweep of a merchant up to then (ms) may find something. */
export async function sweepablePartitions(sql: Sql, partitions: readonly number[], scope: string, until: number): Promise<number[]> {
  const rows = await sql.unsafe<{ part: number }[]>(
    `SELECT p.part FROM merchant.merchant m CROSS JOIN unnest($1::int4[]) AS p(part) WHERE m.merchant_id = $2 AND (
       EXISTS (SELECT 1 FROM tier.account a WHERE a.part = p.part AND a.merchant = m.id AND a.due_at <= $3::timestamptz)
       OR EXISTS (SELECT 1 FROM tier.edit_pending e WHERE e.part = p.part AND e.merchant = m.id))`,
    [arrayLiteral(partitions), scope, new Date(until).toISOString()],
    { prepare: true },
  );
  return rows.map(({ part }) => part);
}

/** The partitions where customers wait for evaluation with a new ladder. */
export async function editedPartitions(sql: Sql): Promise<number[]> {
  const rows = await sql.unsafe<{ part: number }[]>(`SELECT DISTINCT part FROM tier.edit_pending`, [], { prepare: true });
  return rows.map(({ part }) => part);
}
