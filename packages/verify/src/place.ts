/** A point in the order in which a partition is replayed: what is stored at an offset comes before the event of that offset. */
export interface ReplayPlace {
  readonly partition: number;
  readonly offset: number;
  /** Number of the row of `applied`; Infinity for the event at the offset. */
  readonly n: number;
}

export function isBefore(a: { readonly offset: number; readonly n: number }, b: { readonly offset: number; readonly n: number }): boolean {
  return a.offset === b.offset ? a.n < b.n : a.offset < b.offset;
}

/** A row that tells from where on a version of rules is known: kinds `ladder` and `settings` of `applied`. */
export interface KnownFromRow {
  readonly part: number;
  readonly off: bigint;
  readonly n: bigint;
  readonly detail: { readonly merchant: number; readonly version: number };
}

interface Known {
  readonly version: number;
  readonly offset: number;
  readonly n: number;
}

/**
 * Which versions of rules were known at a place. Two edits may hold from the same offset with a command between them, so that the
 * offset alone does not tell.
 */
export class VersionClock {
  readonly #known = new Map<string, Known[]>();

  constructor(rows: readonly KnownFromRow[]) {
    for (const { part, off, n, detail } of rows) {
      const key = `${detail.merchant}/${part}`;
      const known = { version: detail.version, offset: Number(off), n: Number(n) };
      const list = this.#known.get(key);
      if (list === undefined) this.#known.set(key, [known]);
      else list.push(known);
    }
    for (const list of this.#known.values()) list.sort((a, b) => a.version - b.version);
  }

  /**
   * How many versions (of `count`, numbered from 1) were known at a place; one without a row from the offset from which it holds.
   * @param holdsFrom the offset of a version in the place's partition
   */
  countAt(merchant: number, place: ReplayPlace, count: number, holdsFrom: (version: number) => number): number {
    const known = this.#known.get(`${merchant}/${place.partition}`);
    for (let version = count; version > 0; version--) {
      const row = known?.find((one) => one.version === version);
      if (row === undefined ? holdsFrom(version) <= place.offset : isBefore(row, place)) return version;
    }
    return 0;
  }
}
