import type { Sql, Tx } from "@perkstream/postgres";
import { topics } from "@perkstream/contracts";
import { PROGRAM } from "./changes.ts";
import { type LadderVersion, versionAt } from "./merchant-rules.ts";
import { type OffsetRange, type OrderKey, readOwners, readStanding, type Standing } from "./owners.ts";
import { AccountIds } from "./store/accounts.ts";
import { readLevels } from "./store/held-levels.ts";
import { LadderCache, loadLadders } from "./store/ladders.ts";

/** Cashback without a level, or at a level that a ladder no longer has: times one. */
export const NO_MULTIPLIER_BPS = 10_000;

/** An order whose customer's level is asked for. `merchant` is the surrogate id of schema `merchant`. */
export interface LevelQuestion {
  readonly merchant: number;
  readonly customerId: string;
  readonly partition: number;
  readonly offset: number;
}

/** The level held before the order at that offset, in the ladder that holds there. */
export interface LevelAnswer {
  readonly levelId: string | null;
  readonly multiplierBps: number;
}

/** An order that is read once more, out of its turn. */
export interface OrderQuestion {
  readonly merchant: number;
  readonly customerId: string;
  readonly partition: number;
  readonly orderId: string;
}

/**
 * What others may know of levels (docs/programs.md, "How cashback knows the tier"). An answer is only good for offsets
 * below `progress`, read before it or in the same snapshot; then it never changes, whichever program is ahead.
 */
export interface Levels {
  /** The tier program's next offset per partition. */
  progress(sql: Sql | Tx): Promise<ReadonlyMap<number, number>>;
  /** One answer per question, in their order; a handful of statements whatever their number. */
  levelsAt(tx: Sql | Tx, questions: readonly LevelQuestion[]): Promise<readonly LevelAnswer[]>;
  /**
   * The level before an order that is read once more: what was stored with it when tier counted it, whenever that was; of an order
   * that tier has not counted for this customer, what is held now. Under the lock of the partition's progress row.
   */
  levelBefore(tx: Sql | Tx, question: OrderQuestion): Promise<LevelAnswer>;
  /** How far tier is in these partitions, and what it refused there as another's order: see owners.ts. One statement. */
  standing(tx: Sql | Tx, ranges: readonly OffsetRange[]): Promise<ReadonlyMap<number, Standing>>;
  /** Whose the orders are that tier has counted, in the order of the keys; null: it has not. One statement. */
  owners(tx: Sql | Tx, keys: readonly OrderKey[]): Promise<readonly (string | null)[]>;
}

export function createLevels(cache: LadderCache = new LadderCache()): Levels {
  const ids = new AccountIds();
  const levels: Levels = {
    async progress(sql) {
      const rows: readonly { part: number; next_off: bigint }[] = await sql.unsafe(
        `SELECT part, next_off FROM ${PROGRAM}.progress WHERE topic = $1`,
        [topics.orders],
        { prepare: true },
      );
      return new Map(rows.map(({ part, next_off }) => [part, Number(next_off)]));
    },

    async levelsAt(tx, questions) {
      const [ladders, held] = await Promise.all([
        loadLadders(
          tx,
          questions.map(({ merchant }) => merchant),
          cache,
        ),
        readLevels(tx, ids, questions),
      ]);
      return questions.map((question, i): LevelAnswer => {
        const levelId = held[i] ?? null;
        return { levelId, multiplierBps: multiplierOf(ladders.get(question.merchant) ?? [], question, levelId) };
      });
    },

    async levelBefore(tx, question) {
      const counted = await readCounted(tx, question);
      const { merchant, partition } = question;
      if (counted === undefined) {
        const offset = (await levels.progress(tx)).get(partition) ?? 0;
        const [now] = await levels.levelsAt(tx, [{ ...question, offset }]);
        return now ?? { levelId: null, multiplierBps: NO_MULTIPLIER_BPS };
      }
      const versions = (await loadLadders(tx, [merchant], cache)).get(merchant) ?? [];
      const version = counted.ladder ?? versionAt(versions, partition, Number(counted.off));
      return { levelId: counted.level_before, multiplierBps: multiplierIn(versions, version, counted.level_before) };
    },

    standing: readStanding,
    owners: readOwners,
  };
  return levels;
}

async function readCounted(tx: Sql | Tx, { merchant, customerId, orderId }: OrderQuestion) {
  const rows: readonly { level_before: string | null; off: bigint; ladder: number | null }[] = await tx.unsafe(
    `SELECT o.level_before, o.off, o.ladder FROM tier."order" o JOIN tier.account a ON a.acct = o.acct
     WHERE o.merchant = $1 AND o.order_id = $2 AND a.customer_id = $3`,
    [merchant, orderId, customerId],
    { prepare: true },
  );
  return rows[0];
}

function multiplierOf(versions: readonly LadderVersion[], { partition, offset }: LevelQuestion, levelId: string | null): number {
  return multiplierIn(versions, versionAt(versions, partition, offset), levelId);
}

/** The multiplier of a level in a version of the ladder. */
export function multiplierIn(versions: readonly LadderVersion[], version: number, levelId: string | null): number {
  const ladder = versions[version - 1]?.ladder;
  return ladder?.levels.find(({ id }) => id === levelId)?.cashbackMultiplierBps ?? NO_MULTIPLIER_BPS;
}
