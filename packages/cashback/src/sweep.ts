import { arrayLiteral, fromSet, type Sql } from "@perkstream/postgres";
import { loadMerchants, type Merchant, settingsAt } from "@perkstream/merchant";
import type { AppliedStep, ChunkContext, SweepOutcome, SweepRequest } from "@perkstream/program";
import { DAY_MS, type DuePlace } from "./domain/index.ts";
import { customerNeed, dueKey, loadCustomers } from "./load.ts";
import { campaignName, type Parts } from "./chunk.ts";
import { type AccountState, loadAccountsById } from "./store/accounts.ts";
import { firstDues } from "./store/first-dues.ts";
import { dueBounds, dueCounts } from "./store/lots.ts";
import { CashbackWork, type MerchantWork } from "./work.ts";

/** Customers and lots of one step at most, so that live orders do not wait for long. */
const MAX_CUSTOMERS = 250;
const MAX_LOTS_PER_CUSTOMER = 50;
/** Of all customers of a step together, for each customer that the host allows. */
const LOTS_PER_CUSTOMER = 10;

interface Bound {
  readonly merchant: Merchant;
  readonly until: number;
}

/** One bounded step of what time causes for customers without events (programs.md, Time; protocols: sweep bound). */
export async function sweepStep(parts: Parts, context: ChunkContext, request: SweepRequest): Promise<SweepOutcome> {
  const { tx } = context;
  const bounds = await boundsOf(parts, context, request);
  const limit = Math.min(request.limit, MAX_CUSTOMERS);
  const states = bounds.length === 0 ? [] : await dueAccounts(context, request.partition, bounds, limit);
  if (states.length === 0) return { notices: [], applied: [], more: false };
  const byMerchant = new Map(bounds.map((bound) => [bound.merchant.id, bound]));
  const campaigns = await parts.caches.campaigns.load(tx, [...byMerchant.keys()]);
  const merchants = new Map<string, MerchantWork>();
  for (const { merchant } of bounds) {
    const own = campaigns.get(merchant.id);
    if (own !== undefined) merchants.set(merchant.merchantId, { merchant, campaigns: own });
  }
  const work = new CashbackWork(context, parts.encoder, merchants, null);
  const maxLots = parts.maxLotsOfSweep ?? limit * LOTS_PER_CUSTOMER;
  const { steps, cut } = await prepare(context, work, states, byMerchant, request.partition, maxLots);
  const applied: AppliedStep[] = [];
  for (const { state, held, until, first } of steps) {
    work.add(state);
    const dues = work.sweep(state, held, until, first);
    if (dues === 0 && first !== null) throw new Error(`a step of a sweep did nothing for customer ${state.customer.acct}`);
    // How many, where it was not all: verify does as many again.
    const detail = first === null ? null : { dues };
    if (dues > 0) applied.push({ partition: request.partition, kind: "sweep", customer: state.customer.acct, asOf: until, detail });
  }
  await work.save(context);
  const notices = work.takeNotices().map((notice) => ({ partition: request.partition, notice }));
  return { notices, applied, more: cut || states.length === limit };
}

/** Up to where each merchant of the partition may be swept. */
async function boundsOf({ caches }: Parts, { tx }: ChunkContext, { partition, until, backlog, scope }: SweepRequest): Promise<Bound[]> {
  const rows = await tx.unsafe<{ scope: string; high_at: Date }[]>(
    `SELECT scope, high_at FROM cashback.tally WHERE part = $1 AND ($2::uuid IS NULL OR scope = $2::uuid)`,
    [partition, scope],
    { prepare: true },
  );
  const merchants = await loadMerchants(
    tx,
    rows.map((row) => row.scope),
    caches.merchants,
  );
  return rows.flatMap((row) => {
    const merchant = merchants.get(row.scope);
    if (merchant === undefined || (scope === null && merchant.clock === "manual")) return [];
    return [{ merchant, until: backlog && scope === null ? Math.min(until, row.high_at.getTime()) : until }];
  });
}

async function dueAccounts(context: ChunkContext, partition: number, bounds: readonly Bound[], limit: number): Promise<AccountState[]> {
  const offset = context.progress.get(partition)?.nextOffset ?? 0;
  const rows = bounds.map(({ merchant, until }) => {
    const days = noticeDays(merchant, partition, offset);
    return { merchant: merchant.id, until_at: until, announce_until: days === 0 ? null : until + days * DAY_MS };
  });
  const set = fromSet({ merchant: "int4", until_at: "timestamptz", announce_until: "timestamptz" }, rows, 3);
  const found = await context.tx.unsafe<{ acct: bigint }[]>(
    `SELECT DISTINCT d.acct FROM ${set.text} AS r JOIN LATERAL (
       (SELECT acct FROM cashback.account a WHERE a.part = $1 AND a.merchant = r.merchant AND a.due_at <= r.until_at ORDER BY a.due_at LIMIT $2)
       UNION ALL
       (SELECT acct FROM cashback.account a WHERE a.part = $1 AND a.merchant = r.merchant AND a.unannounced_at <= r.announce_until
          ORDER BY a.unannounced_at LIMIT $2)) AS d ON true LIMIT $2`,
    [partition, limit, ...set.params],
    { prepare: true },
  );
  return loadAccountsById(
    context.tx,
    found.map((row) => Number(row.acct)).sort((a, b) => a - b),
  );
}

function noticeDays(merchant: Merchant, partition: number, offset: number): number {
  return settingsAt(merchant, partition, offset).expiringNoticeDays;
}

interface Step {
  readonly state: AccountState;
  readonly held: ReturnType<CashbackWork["held"]>;
  readonly until: number;
  /** Not null where more is due at one instant than a step may load: then how far it goes. */
  readonly first: { readonly before: DuePlace; readonly lots: readonly number[] } | null;
}

async function prepare(
  { tx, progress }: ChunkContext,
  work: CashbackWork,
  states: readonly AccountState[],
  bounds: ReadonlyMap<number, Bound>,
  partition: number,
  maxLots: number,
): Promise<{ steps: Step[]; cut: boolean }> {
  const offset = progress.get(partition)?.nextOffset ?? 0;
  const wanted = states.flatMap((state) => {
    const bound = bounds.get(state.merchant);
    const until = Math.max(bound?.until ?? 0, 0);
    // Nothing is applied before what was applied last.
    if (bound === undefined || state.customer.lastAsOf > until) return [];
    return [{ state, held: work.held(bound.merchant, partition, offset), until }];
  });
  const cuts = await dueBounds(
    tx,
    wanted.map(({ state, until }) => ({ acct: state.customer.acct, until, announceUntil: until })),
    MAX_LOTS_PER_CUSTOMER,
  );
  const bounded = wanted.map(({ state, held, until }) => ({ state, held, until: cuts.get(state.customer.acct) ?? until, first: null }));
  const steps = await fitting(tx, bounded, maxLots);
  await loadCustomers(
    tx,
    steps.map(({ state, held, until, first }) => ({ ...customerNeed(state, held, until), dueLots: first?.lots ?? null })),
    (merchant, campaign) => campaignName(work.merchants, merchant, campaign),
  );
  return { steps, cut: cuts.size > 0 || steps.length < bounded.length || steps.some(({ first }) => first !== null) };
}

/** As many customers as a step may load lots of; of one who alone has more due at one instant, as at a month's end, the first of it. */
async function fitting(tx: ChunkContext["tx"], steps: readonly Step[], maxLots: number): Promise<Step[]> {
  const counts = await dueCounts(
    tx,
    steps.map(({ state, held, until }) => dueKey(state.customer.acct, until, held)),
    maxLots,
  );
  let lots = 0;
  const fit = steps.filter(({ state }, i) => {
    lots += counts.get(state.customer.acct) ?? 0;
    return i === 0 || lots <= maxLots;
  });
  const [one] = fit;
  if (one === undefined || (counts.get(one.state.customer.acct) ?? 0) < maxLots) return fit;
  const { customer } = one.state;
  const first = await firstDues(tx, { ...dueKey(customer.acct, one.until, one.held), lastAsOf: customer.lastAsOf }, maxLots);
  return [{ ...one, first }, ...fit.slice(1)];
}

/** Of these partitions, those where a sweep of a merchant up to then (ms) may find something. */
export async function sweepablePartitions(sql: Sql, partitions: readonly number[], scope: string, until: number): Promise<number[]> {
  const rows = await sql.unsafe<{ part: number }[]>(
    `SELECT p.part FROM merchant.merchant m CROSS JOIN unnest($1::int4[]) AS p(part) WHERE m.merchant_id = $2 AND (
       EXISTS (SELECT 1 FROM cashback.account a WHERE a.part = p.part AND a.merchant = m.id AND a.due_at <= $3::timestamptz)
       OR EXISTS (SELECT 1 FROM cashback.account a WHERE a.part = p.part AND a.merchant = m.id AND a.unannounced_at IS NOT NULL))`,
    [arrayLiteral(partitions), scope, new Date(until).toISOString()],
    { prepare: true },
  );
  return rows.map(({ part }) => part);
}
