import { fromSet, type Sql, type Tx } from "@perkstream/postgres";
import { topics } from "@perkstream/contracts";
import { PROGRAM } from "./changes.ts";
import { type LadderVersion, versionAt } from "./merchant-rules.ts";
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

/**
 * What others may know of levels (docs/programs.md, "How cashback knows the tier"). An answer is only good for offsets
 * below `progress`, read before it or in the same snapshot; then it never changes, whichever program is ahead.
 */
export interface Levels {
  /** The tier program's next offset per partition. */
  progress(sql: Sql | Tx): Promise<ReadonlyMap<number, number>>;
  /** One answer per question, in their order; two statements whatever their number. */
  levelsAt(tx: Sql | Tx, questions: readonly LevelQuestion[]): Promise<readonly LevelAnswer[]>;
}

export function createLevels(cache: LadderCache = new LadderCache()): Levels {
  return {
    async progress(sql) {
      const rows: readonly { part: number; next_off: bigint }[] = await sql.unsafe(
        `SELECT part, next_off FROM ${PROGRAM}.progress WHERE topic = $1`,
        [topics.orders],
        { prepare: true },
      );
      return new Map(rows.map(({ part, next_off }) => [part, Number(next_off)]));
    },

    async levelsAt(tx, questions) {
      const [ladders, levels] = await Promise.all([
        loadLadders(
          tx,
          questions.map(({ merchant }) => merchant),
          cache,
        ),
        readLevels(tx, questions),
      ]);
      return questions.map((question, i): LevelAnswer => {
        const levelId = levels[i] ?? null;
        return { levelId, multiplierBps: multiplierOf(ladders.get(question.merchant) ?? [], question, levelId) };
      });
    },
  };
}

function multiplierOf(versions: readonly LadderVersion[], { partition, offset }: LevelQuestion, levelId: string | null): number {
  const ladder = versions[versionAt(versions, partition, offset) - 1]?.ladder;
  return ladder?.levels.find(({ id }) => id === levelId)?.cashbackMultiplierBps ?? NO_MULTIPLIER_BPS;
}

const QUESTION = { i: "int4", merchant: "int4", customer_id: "text", part: "int4", off: "int8" } as const;

/** Level ids by the index of the question. Only a level that changed since the offset is looked up in the history. */
async function readLevels(tx: Sql | Tx, questions: readonly LevelQuestion[]): Promise<readonly (string | null)[]> {
  const levels = questions.map((): string | null => null);
  if (questions.length === 0) return levels;
  const set = fromSet(
    QUESTION,
    questions.map(({ merchant, customerId, partition, offset }, i) => ({
      i,
      merchant,
      customer_id: customerId,
      part: partition,
      off: offset,
    })),
  );
  const rows: readonly { i: number; level: string | null }[] = await tx.unsafe(
    `SELECT q.i, CASE WHEN a.level_off <= q.off THEN a.level ELSE (
       SELECT h.to_level FROM tier.history h WHERE h.acct = a.acct AND h.part = q.part AND h.off <= q.off ORDER BY h.seq DESC LIMIT 1
     ) END AS level
     FROM ${set.text} AS q JOIN tier.account a ON a.merchant = q.merchant AND a.customer_id = q.customer_id`,
    set.params,
    { prepare: true },
  );
  for (const { i, level } of rows) levels[i] = level;
  return levels;
}
