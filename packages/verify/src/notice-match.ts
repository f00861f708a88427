import type { Notice } from "@perkstream/program";
import type { ReplayPlace } from "./place.ts";

/** A notification that somebody stores. */
export interface FoundNotice {
  readonly id: string;
  readonly value: Buffer;
  /** Offset in the inbox's topic; null while it waits in an outbox. */
  readonly offset: number | null;
}

/** A notification that a replay gives. `order` counts those of one program and customer. */
export interface ExpectedNotice<P extends string> {
  readonly program: P;
  readonly notice: Notice;
  readonly place: ReplayPlace;
  readonly order: number;
}

/** The next stored notification of this customer; undefined when there are no more. */
export type PullNotice = () => Promise<FoundNotice | undefined>;

/** How many stored notifications are looked at before what they are to match is known. */
const AHEAD = 64;

/**
 * Pairs what the replays of one customer expect with what is stored, by id. Both come in about the same order, so that pairs are found
 * and forgotten on the way.
 */
export class NoticeMatch<P extends string> {
  readonly #pull: PullNotice;
  readonly #pair: (expected: ExpectedNotice<P>, found: FoundNotice) => void;
  readonly #expected = new Map<string, ExpectedNotice<P>>();
  readonly #found = new Map<string, FoundNotice>();
  readonly #orders = new Map<P, number>();
  #pulled = 0;
  #told = 0;
  #ended = false;

  constructor(pull: PullNotice, pair: (expected: ExpectedNotice<P>, found: FoundNotice) => void) {
    this.#pull = pull;
    this.#pair = pair;
  }

  expect(program: P, notice: Notice, place: ReplayPlace): void {
    const order = this.#orders.get(program) ?? 0;
    this.#orders.set(program, order + 1);
    this.#told++;
    const expected = { program, notice, place, order };
    const found = this.#found.get(notice.id);
    if (found === undefined) this.#expected.set(notice.id, expected);
    else {
      this.#found.delete(notice.id);
      this.#pair(expected, found);
    }
  }

  /** Looks at what is stored, as far as the replay has come. */
  async settle(): Promise<void> {
    while (!this.#ended && this.#expected.size > 0 && this.#pulled < this.#told + AHEAD) await this.#one();
  }

  /** Looks at the rest. What is left is missing, and what nobody expects. */
  async finish(): Promise<{
    readonly missing: readonly ExpectedNotice<P>[];
    readonly unexpected: readonly FoundNotice[];
    readonly looked: number;
  }> {
    while (!this.#ended) await this.#one();
    return { missing: [...this.#expected.values()], unexpected: [...this.#found.values()], looked: this.#pulled };
  }

  async #one(): Promise<void> {
    const found = await this.#pull();
    if (found === undefined) {
      this.#ended = true;
      return;
    }
    this.#pulled++;
    const expected = this.#expected.get(found.id);
    if (expected === undefined) this.#found.set(found.id, found);
    else {
      this.#expected.delete(found.id);
      this.#pair(expected, found);
    }
  }
}
