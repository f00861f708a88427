import type { Sql, Tx } from "@perkstream/postgres";

/** An order whose multiplier is asked for. `merchant` is the surrogate id of schema `merchant`. */
export interface LevelQuery {
  readonly merchant: number;
  readonly customerId: string;
  readonly partition: number;
  readonly offset: number;
}

/** A level as of an offset: `levelId` null and 10,000 for none. */
export interface HeldLevel {
  readonly levelId: string | null;
  readonly multiplierBps: number;
}

/**
 * What cashback needs of the tier program (protocols: the offset join). Implemented outside of this package: cashback knows
 * neither tier's tables nor its package.
 */
export interface TierPort {
  /** The tier program's next offset of each partition of orders.v1. Asked before levels are, in the same or an earlier snapshot. */
  progress(sql: Sql | Tx): Promise<ReadonlyMap<number, number>>;
  /**
   * The levels that hold at these offsets, in the ladder versions that hold there, in the order of the queries. The tier program's
   * progress must have passed every offset. One statement per table, whatever the number of orders.
   */
  levelsAt(sql: Sql | Tx, queries: readonly LevelQuery[]): Promise<readonly HeldLevel[]>;
}
