import { CashbackVerifier, verifySeals } from "@perkstream/cashback";
import { openNotificationDecoder, openNotificationEncoder, openOrderDecoder, type Registry, topics } from "@perkstream/contracts";
import { loadMerchantsById, type Merchant } from "@perkstream/merchant";
import { readProgress } from "@perkstream/program";
import { TierVerifier, verifyEdits } from "@perkstream/tier";
import {
  type AppliedRow,
  type Group,
  knownRedrives,
  type KnownFromRow,
  type OwnedTable,
  type Report,
  type Snapshot,
  VersionClock,
  verifyHostTables,
  withSnapshot,
} from "@perkstream/verify";
import { verifyBothPrograms } from "./both-programs.ts";
import { groupsOf, openCustomers } from "./customers.ts";
import { readInboxState } from "./inbox-state.ts";
import { NoticeVerifier } from "./notices.ts";
import type { VerifiedProgram } from "./options.ts";

export interface VerifyRun {
  readonly databaseUrl: string;
  readonly registry: Registry;
  /** Null for all. */
  readonly merchantId: string | null;
  readonly report: Report;
  /** Called often; `total` customers are to be done. */
  readonly onProgress: (progress: { readonly done: number; readonly total: number; readonly phase: string }) => void;
}

/** There is no such merchant in the database. */
export class UnknownMerchantError extends Error {
  override readonly name = "UnknownMerchantError";
}

const PROGRAMS: readonly VerifiedProgram[] = ["tier", "cashback"];

const OWNED: Readonly<Record<VerifiedProgram, readonly OwnedTable[]>> = {
  tier: [
    { table: '"order"', thing: "order" },
    { table: "history", thing: "history" },
    { table: "day", thing: "day" },
  ],
  cashback: [
    { table: '"order"', thing: "order" },
    { table: "lot", thing: "lot" },
    { table: "transfer", thing: "transfer" },
    { table: "redemption", thing: "redemption" },
    { table: "cap_usage", thing: "cap" },
  ],
};

/**
 * Recomputes everything from the stored orders and commands, and tells each difference to what is stored (docs/verify.md):
 *
 *   one snapshot ─► for each customer: tier's replay ─► levels ─► cashback's replay ─► notifications
 *                ─► sums over customers ─► seals, numbers, counters, and what only one program has
 */
export async function runVerify(run: VerifyRun): Promise<void> {
  await withSnapshot(run.databaseUrl, async (snapshot) => {
    const merchants = await merchantsOf(snapshot, run.merchantId);
    await verifyCustomers(snapshot, run, merchants);
    run.onProgress({ done: 0, total: 0, phase: "comparing the programs with each other" });
    await verifyBothPrograms(snapshot, run.report, run.merchantId === null ? null : (merchants[0]?.id ?? null));
    if (run.merchantId !== null) return;
    run.onProgress({ done: 0, total: 0, phase: "reckoning the seals" });
    const scope = { program: "cashback", topic: topics.orders };
    await verifySeals(snapshot, await readProgress(snapshot.tx, scope), run.report);
    run.onProgress({ done: 0, total: 0, phase: "checking counters and outboxes" });
    await verifyEdits(snapshot, run.report);
    for (const program of PROGRAMS) await verifyHostTables(snapshot, run.report, program, topics.orders, OWNED[program]);
  });
}

async function merchantsOf(snapshot: Snapshot, merchantId: string | null): Promise<Merchant[]> {
  const rows = await snapshot.tx.unsafe<{ id: number }[]>(
    `SELECT id FROM merchant.merchant WHERE $1::uuid IS NULL OR merchant_id = $1::uuid ORDER BY id`,
    [merchantId],
  );
  if (rows.length === 0 && merchantId !== null) throw new UnknownMerchantError(`There is no merchant ${merchantId} in this database.`);
  const found = await loadMerchantsById(
    snapshot.tx,
    rows.map(({ id }) => id),
  );
  return [...found.values()].sort((a, b) => a.id - b.id);
}

async function verifyCustomers(snapshot: Snapshot, run: VerifyRun, all: readonly Merchant[]): Promise<void> {
  const { registry, report, onProgress } = run;
  const { groups, customers: total } = await groupsOf(snapshot, all);
  const merchants = new Map(all.map((merchant) => [merchant.id, merchant]));
  const common = { snapshot, merchants, decoder: openOrderDecoder(registry), encoder: await openNotificationEncoder(registry), report };
  const tier = {
    ...common,
    clocks: { ladders: await clockOf(snapshot, "tier", "ladder"), settings: await clockOf(snapshot, "tier", "settings") },
    redrives: await redrivesOf(snapshot, "tier"),
    progress: new Map(
      (await readProgress(snapshot.tx, { program: "tier", topic: topics.orders })).map((row) => [row.partition, row.nextOffset]),
    ),
  };
  const cashback = {
    ...common,
    settings: await clockOf(snapshot, "cashback", "settings"),
    redrives: await redrivesOf(snapshot, "cashback"),
  };
  const notices = new NoticeVerifier(openNotificationDecoder(registry), await readInboxState(snapshot, PROGRAMS), report);
  let done = 0;
  const verifyGroup = async (group: Group): Promise<void> => {
    const tierVerifier = await TierVerifier.open(tier, group);
    const cashbackVerifier = await CashbackVerifier.open(cashback, group);
    notices.begin(snapshot, group);
    const customers = openCustomers(snapshot, group);
    for (;;) {
      const row = await customers.next();
      if (row === undefined) break;
      const merchant = merchants.get(row.merchant);
      if (merchant === undefined) throw new Error(`merchant ${row.merchant} is not loaded`);
      const customer = { merchant: row.merchant, merchantId: merchant.merchantId, customerId: row.customer_id };
      const own = notices.customer(customer);
      const levels = await tierVerifier.verify(customer, row.tier === null ? null : Number(row.tier), own.of("tier"));
      if (row.cashback !== null) await cashbackVerifier.verify(customer, Number(row.cashback), levels, own.of("cashback"));
      await own.finish();
      onProgress({ done: ++done, total, phase: "customers" });
    }
    await cashbackVerifier.finish();
  };
  for (const group of groups) await verifyGroup(group);
  await notices.finish();
}

/** From where on versions of rules were known. */
async function clockOf(snapshot: Snapshot, program: VerifiedProgram, kind: "ladder" | "settings"): Promise<VersionClock> {
  const rows = await snapshot.tx.unsafe<KnownFromRow[]>(`SELECT part, off, n, detail FROM ${program}.applied WHERE kind = $1`, [kind]);
  return new VersionClock(rows);
}

/** What was read once more and had to wait for its order again: those steps are about no customer. */
async function redrivesOf(snapshot: Snapshot, program: VerifiedProgram) {
  const rows = await snapshot.tx.unsafe<AppliedRow[]>(
    `SELECT customer AS acct, part, off, n, kind, as_of, detail FROM ${program}.applied WHERE kind = 'redrive' AND customer = 0`,
  );
  return knownRedrives(rows);
}
