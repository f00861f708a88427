import { arrayLiteral, parseInt8Array, type Sql, type Tx } from "@perkstream/postgres";
import type { Apply, Level, Settings } from "../domain/index.ts";
import type { LadderVersion } from "../merchant-rules.ts";

/** A level as it is stored and shown: thresholds are JSON integers. */
export interface LevelJson {
  readonly id: string;
  readonly name: string;
  readonly threshold: number;
  readonly cashbackMultiplierBps: number;
}

interface LadderRow {
  readonly merchant: number;
  readonly version: number;
  readonly settings: Partial<Settings>;
  readonly levels: readonly LevelJson[];
  readonly apply: Apply;
  readonly actor: string;
  readonly as_of: Date;
  readonly from_offsets: string;
}

/** Ladder versions by merchant. They are never changed once stored, so only newer ones are ever read again. */
export class LadderCache {
  readonly #known = new Map<number, readonly LadderVersion[]>();
  readonly #limit: number;

  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  get(merchant: number): readonly LadderVersion[] | undefined {
    return this.#known.get(merchant);
  }

  set(merchant: number, versions: readonly LadderVersion[]): void {
    this.#known.delete(merchant);
    this.#known.set(merchant, versions);
    const oldest = this.#known.keys().next();
    if (this.#known.size > this.#limit && oldest.done === false) this.#known.delete(oldest.value);
  }

  clear(): void {
    this.#known.clear();
  }
}

/** All ladder versions of some merchants, oldest first, by one statement; run under the progress lock where it decides. */
export async function loadLadders(
  tx: Tx | Sql,
  merchants: Iterable<number>,
  cache: LadderCache,
): Promise<Map<number, readonly LadderVersion[]>> {
  const ids = [...new Set(merchants)];
  if (ids.length === 0) return new Map();
  const versions = new Map(ids.map((id) => [id, cache.get(id) ?? []]));
  const rows: readonly LadderRow[] = await tx.unsafe(
    `SELECT l.merchant, l.version, l.settings, l.levels, l.apply, l.actor, l.as_of, l.from_offsets
     FROM unnest($1::int4[], $2::int4[]) AS k(merchant, known) JOIN tier.ladder_version l ON l.merchant = k.merchant AND l.version > k.known
     ORDER BY l.merchant, l.version`,
    [arrayLiteral(ids), arrayLiteral(ids.map((id) => versions.get(id)!.length))],
    { prepare: true },
  );
  for (const row of rows) versions.set(row.merchant, [...versions.get(row.merchant)!, versionOf(row)]);
  for (const [id, all] of versions) cache.set(id, all);
  return versions;
}

function versionOf(row: LadderRow): LadderVersion {
  const { settings } = row;
  return {
    ladder: { version: row.version, settings: { ...(settings as Settings), days: settings.days ?? null }, levels: row.levels.map(levelOf) },
    apply: row.apply,
    actor: row.actor,
    asOf: row.as_of.getTime(),
    from: parseInt8Array(row.from_offsets),
  };
}

export function levelOf({ id, name, threshold, cashbackMultiplierBps }: LevelJson): Level {
  return { id, name, threshold: BigInt(threshold), cashbackMultiplierBps };
}

export function levelJson({ id, name, threshold, cashbackMultiplierBps }: Level): LevelJson {
  return { id, name, threshold: Number(threshold), cashbackMultiplierBps };
}
