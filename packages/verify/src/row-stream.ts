/** Where rows come from, some at a time. */
export interface RowSource<R> {
  open(): Promise<void>;
  /** No rows: there are no more. */
  fetch(): Promise<readonly R[]>;
  close(): Promise<void>;
}

/** Rows one after the other, with a look at the next. */
export class RowStream<R> {
  readonly #source: RowSource<R>;
  #rows: readonly R[] = [];
  #at = 0;
  #state: "new" | "open" | "ended" = "new";

  constructor(source: RowSource<R>) {
    this.#source = source;
  }

  /** The next row if it is at hand, without waiting; undefined: `peek` tells. */
  get ready(): R | undefined {
    return this.#rows[this.#at];
  }

  /** The next row, which stays; undefined at the end. */
  async peek(): Promise<R | undefined> {
    if (this.#at < this.#rows.length) return this.#rows[this.#at];
    if (this.#state === "ended") return undefined;
    if (this.#state === "new") {
      await this.#source.open();
      this.#state = "open";
    }
    this.#rows = await this.#source.fetch();
    this.#at = 0;
    if (this.#rows.length === 0) await this.close();
    return this.#rows[0];
  }

  /** Goes on to the row after the one that `ready` or `peek` gave. */
  skip(): void {
    this.#at++;
  }

  async next(): Promise<R | undefined> {
    const row = this.ready ?? (await this.peek());
    if (row !== undefined) this.#at++;
    return row;
  }

  /** All rows from here on that belong together. */
  async takeWhile(belongs: (row: R) => boolean): Promise<R[]> {
    const taken: R[] = [];
    for (;;) {
      const row = this.ready ?? (await this.peek());
      if (row === undefined || !belongs(row)) return taken;
      taken.push(row);
      this.#at++;
    }
  }

  async close(): Promise<void> {
    if (this.#state === "open") await this.#source.close();
    this.#state = "ended";
    this.#rows = [];
  }
}
