import type { Merchant } from "@perkstream/merchant";
import { arrayLiteral, type Sql, type Tx } from "@perkstream/postgres";
import { type CommandContext, wakeChannel } from "@perkstream/program";
import { PROGRAM } from "./changes.ts";
import type { ChangeSink } from "./customer.ts";
import { type Apply, emptyLadder, type Ladder, type LadderEdit, type Level, previewEdit, type Settings } from "./domain/index.ts";
import { ACCOUNT_COLUMNS, type AccountRow } from "./store/account-row.ts";
import { type LevelJson, LadderCache, levelJson, levelOf, loadLadders } from "./store/ladders.ts";
import { openForTime, RulesCache } from "./store/load.ts";
import { markEdited } from "./sweep.ts";

export type { LevelJson } from "./store/ladders.ts";

/** A ladder as it is shown; `days` only with `rolling_days`. */
export interface LadderJson {
  readonly version: number;
  readonly settings: SettingsJson;
  readonly levels: readonly LevelJson[];
}

export type SettingsJson = Omit<Settings, "days"> & { readonly days?: number };

export interface LadderChange {
  readonly settings: SettingsJson;
  /** By rising threshold, ids unique. */
  readonly levels: readonly LevelJson[];
  readonly apply: Apply;
  readonly actor: string;
  /** The request's clock (ms). */
  readonly atMs: number;
}

/** The newest ladder of a merchant; version 0 without levels before the first. */
export async function newestLadder(sql: Sql | Tx, merchant: number): Promise<LadderJson> {
  const versions = (await loadLadders(sql, [merchant], new LadderCache())).get(merchant) ?? [];
  return ladderJson(versions.at(-1)?.ladder ?? emptyLadder);
}

/**
 * Stores a new version of the ladder, inside `withPartitions` over **all** partitions of the tier program: it holds from
 * their next offsets. Each customer is evaluated before anything else touches it, the others by sweeps.
 *
 * @param expected the version that the caller has seen; null for any
 * @returns the new ladder, or the stored version when it is another one than expected
 */
export async function putLadder(
  { tx, progress, applied }: CommandContext,
  merchant: number,
  expected: number | null,
  { settings, levels, apply, actor, atMs }: LadderChange,
): Promise<LadderJson | { readonly staleVersion: number }> {
  const current = await newestLadder(tx, merchant);
  if (expected !== null && current.version !== expected) return { staleVersion: current.version };
  const ladder: LadderJson = { version: current.version + 1, settings: cleanSettings(settings), levels };
  const partitions = [...progress.keys()];
  const from = Array.from({ length: Math.max(-1, ...partitions) + 1 }, (_, partition) => progress.get(partition)?.nextOffset ?? 0);
  await tx.unsafe(
    `INSERT INTO tier.ladder_version (merchant, version, settings, levels, apply, actor, as_of, from_offsets)
     VALUES ($1, $2, $3::text::jsonb, $4::text::jsonb, $5, $6, $7::timestamptz, $8::int8[])`,
    [
      merchant,
      ladder.version,
      JSON.stringify(ladder.settings),
      JSON.stringify(levels),
      apply,
      actor,
      new Date(atMs).toISOString(),
      arrayLiteral(from),
    ],
    { prepare: true },
  );
  const detail = { merchant, version: ladder.version };
  for (const partition of partitions) applied({ partition, kind: "ladder", customer: 0, asOf: atMs, detail });
  await markEdited(tx, merchant, partitions);
  await tx.unsafe(`SELECT pg_notify($1, '')`, [wakeChannel(PROGRAM)]);
  return ladder;
}

export interface PreviewCounts {
  readonly up: number;
  readonly down: number;
  readonly stay: number;
}

const PREVIEW_STEP = 500;
const NOTHING_RECORDED: ChangeSink = { record: () => {} };

/** How many customers an edit would move, after what is due by its time. Reads in bounded steps, stores nothing. */
export async function previewLadder(
  sql: Sql,
  merchant: Merchant,
  { settings, levels, apply, actor, atMs }: LadderChange,
): Promise<PreviewCounts> {
  const counts = { up: 0, down: 0, stay: 0 };
  const cache = new RulesCache();
  const rules = await cache.load(sql, [merchant]);
  const version = rules.get(merchant.id)!.newestVersion + 1;
  const ladder: Ladder = { version, settings: { ...settings, days: settings.days ?? null }, levels: levels.map(levelOf) };
  const edit: LadderEdit = { ladder, apply, actor, asOf: atMs };
  const effectOf = (partition: number) => ({ partition, offset: Number.MAX_SAFE_INTEGER });
  for (let after = ""; ;) {
    const rows: readonly AccountRow[] = await sql.unsafe(
      `SELECT ${ACCOUNT_COLUMNS} FROM tier.account a WHERE a.merchant = $1 AND a.customer_id > $2 AND a.known ORDER BY a.customer_id LIMIT $3`,
      [merchant.id, after, PREVIEW_STEP],
      { prepare: true },
    );
    for (const customer of await openForTime(sql, rows, rules, (partition) => effectOf(partition).offset, "all")) {
      const effect = effectOf(customer.partition);
      customer.catchUp(effect, NOTHING_RECORDED);
      counts[previewEdit(customer.rulesAt(effect), customer.state, customer.days, edit)]++;
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PREVIEW_STEP) return counts;
    after = last.customer_id;
  }
}

function ladderJson({ version, settings: { days, ...settings }, levels }: Ladder): LadderJson {
  const kept = settings.window === "rolling_days" && days !== null ? { ...settings, days } : settings;
  return { version, settings: kept, levels: levels.map((level: Level) => levelJson(level)) };
}

function cleanSettings({ days, ...settings }: SettingsJson): SettingsJson {
  return settings.window === "rolling_days" && days !== undefined ? { ...settings, days } : settings;
}
