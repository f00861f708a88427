import type { RowStream } from "./row-stream.ts";

export interface AlignmentRules<E, F> {
  /** Whether a stored row is just what is expected. */
  same(expected: E, found: F): boolean;
  /** Whether a stored row is what is expected, but for some values. */
  akin(expected: E, found: F): boolean;
  /** Whether the next stored row is still of this sequence. */
  belongs(found: F): boolean;
  missing(expected: E): void;
  unexpected(found: F): void;
  changed(expected: E, found: F): void;
}

/** How far apart the sequences may drift before a difference is called. */
const WINDOW = 48;

/**
 * Compares a sequence that is being expected with the one that is stored, in one pass and bounded memory, and names what is missing, too
 * much or changed instead of calling everything after it wrong:
 *
 *   expected  A B C D E        the heads are the same ─► both go on
 *   found     A B x E          else: the nearest later pair that is the same (here E); what lies before is paired where it is akin
 */
export class Alignment<E, F> {
  readonly #rules: AlignmentRules<E, F>;
  readonly #stream: RowStream<F>;
  #expected: E[] = [];
  #found: F[] = [];
  #compared = 0;

  constructor(stream: RowStream<F>, rules: AlignmentRules<E, F>) {
    this.#stream = stream;
    this.#rules = rules;
  }

  /** How many stored rows were compared. */
  get compared(): number {
    return this.#compared;
  }

  expect(expected: E): void {
    this.#expected.push(expected);
  }

  /** Compares what is expected so far; a difference is called once enough is known of what follows. */
  async advance(): Promise<void> {
    if (await this.#walk()) return;
    while (this.#expected.length >= WINDOW) {
      await this.#fill();
      this.#resolve();
      if (await this.#walk()) return;
    }
  }

  /** Compares the rest: nothing more is expected. */
  async finish(): Promise<void> {
    for (;;) {
      await this.#walk();
      await this.#fill();
      if (this.#expected.length === 0 && this.#found.length === 0) return;
      this.#resolve();
    }
  }

  /** Both go on while their heads are the same. True when nothing expected is left. */
  async #walk(): Promise<boolean> {
    let at = 0;
    for (; at < this.#expected.length; at++) {
      if (this.#found.length === 0) {
        const row = this.#stream.ready ?? (await this.#stream.peek());
        if (row === undefined || !this.#rules.belongs(row)) break;
        if (!this.#rules.same(this.#expected[at]!, row)) break;
        this.#stream.skip();
      } else {
        if (!this.#rules.same(this.#expected[at]!, this.#found[0]!)) break;
        this.#found.shift();
      }
      this.#compared++;
    }
    this.#expected = at === this.#expected.length ? [] : this.#expected.slice(at);
    return this.#expected.length === 0;
  }

  async #fill(): Promise<void> {
    while (this.#found.length < WINDOW) {
      const row = this.#stream.ready ?? (await this.#stream.peek());
      if (row === undefined || !this.#rules.belongs(row)) return;
      this.#found.push(row);
      this.#stream.skip();
      this.#compared++;
    }
  }

  /** The heads differ: calls what lies before the nearest pair that is the same. */
  #resolve(): void {
    const [expectedCount, foundCount] = this.#nearest();
    const expected = this.#expected.splice(0, expectedCount);
    const found = this.#found.splice(0, foundCount);
    for (const one of expected) {
      const at = found.findIndex((row) => this.#rules.akin(one, row));
      if (at < 0) this.#rules.missing(one);
      else this.#rules.changed(one, found.splice(at, 1)[0]!);
    }
    for (const row of found) this.#rules.unexpected(row);
  }

  #nearest(): readonly [number, number] {
    const expected = Math.min(this.#expected.length, WINDOW);
    const found = this.#found.length;
    for (let distance = 1; distance < expected + found; distance++) {
      for (let i = Math.max(0, distance - found + 1); i <= Math.min(distance, expected - 1); i++) {
        if (this.#rules.same(this.#expected[i]!, this.#found[distance - i]!)) return [i, distance - i];
      }
    }
    return [expected, found];
  }
}
