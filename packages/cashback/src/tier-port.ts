import type { Sql, Tx } from "@perkstream/postgres";

/** An order whose multiplier is asked for. `merchant` is the surrogate id of schema `merchant`. */
export interface LevelQuery {
  readonly merchant: number;
  readonly customerId: string;
  readonly partition: number;
  readonly offset: number;
}

/** An order that is read once more, out of its turn. */
export interface OrderQuery {
  readonly merchant: number;
  readonly customerId: string;
  readonly partition: number;
  readonly orderId: string;
}

/** How far the tier program is in a partition, and at which of the offsets that were asked for it refused an order as another's. */
export interface TierStanding {
  readonly nextOffset: number;
  readonly conflicts: ReadonlySet<number>;
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
  /**
   * The level by which an order is paid that is read once more: the one that tier stored with it, or of an order that tier has not
   * counted for this customer the one that is held now.
   */
  levelBefore(sql: Sql | Tx, query: OrderQuery): Promise<HeldLevel>;
  /**
   * Tier's progress as in `progress`, of these partitions, with what it made dead letters of as `order_conflict` between these
   * offsets (both included), in one snapshot. One statement.
   */
  standing(
    sql: Sql | Tx,
    ranges: readonly { readonly partition: number; readonly from: number; readonly to: number }[],
  ): Promise<ReadonlyMap<number, TierStanding>>;
  /** The customers whose orders tier has counted, in the order of the keys; null: it has not. One statement. */
  owners(sql: Sql | Tx, keys: readonly { readonly merchant: number; readonly orderId: string }[]): Promise<readonly (string | null)[]>;
}
