import type { LadderSettings, Level, Step, Vector } from "./vectors.ts";

/** Whoever says what the level held before an order multiplies by. */
export interface Levels {
  multiplierBps(customerId: string, asOf: number, day: number, offset: number): number;
  spend(customerId: string, orderId: string, day: number, netMinor: number): void;
  command(step: Step, at: number, day: number): void;
}

/** From the reference model, which has lived through the order already. */
export function levelsOf(multipliers: ReadonlyMap<number, number>): Levels {
  return {
    multiplierBps: (_customerId, _asOf, _day, offset) => multipliers.get(offset) ?? 10_000,
    spend: () => {},
    command: () => {},
  };
}

/**
 * A stand-in for the tier program, enough for the multipliers of the vectors: net spend, `lifetime` or `rolling_days`, evaluated
 * afresh before each order, pins on top. Validity, grace and history are the tier program's own matter and are not here.
 */
export class StubLevels implements Levels {
  readonly #settings: LadderSettings;
  readonly #levels: readonly Level[];
  readonly #spent = new Map<string, { day: number; orderId: string; netMinor: number }[]>();
  readonly #pins = new Map<string, { level: number; until: number }>();

  constructor(vector: Vector) {
    this.#settings = vector.ladder.settings;
    this.#levels = vector.ladder.levels;
  }

  /** The multiplier of the level held at `asOf` (ms; the local day is given). */
  multiplierBps(customerId: string, asOf: number, day: number): number {
    return this.#levels[this.#level(customerId, asOf, day)]?.cashbackMultiplierBps ?? 10_000;
  }

  spend(customerId: string, orderId: string, day: number, netMinor: number): void {
    const spent = this.#spent.get(customerId) ?? [];
    spent.push({ day, orderId, netMinor });
    this.#spent.set(customerId, spent);
  }

  command(step: Step, at: number, day: number): void {
    const pin = step.pin ?? step.promote ?? step.demote;
    if (step.unpin !== undefined) this.#pins.delete(step.unpin.customerId);
    if (pin === undefined) return;
    const moved = this.#level(pin.customerId, at, day) + (step.promote !== undefined ? 1 : -1);
    const level = pin.levelId === undefined ? moved : this.#levels.findIndex((one) => one.id === pin.levelId);
    this.#pins.set(pin.customerId, { level, until: pin.until === undefined ? Number.POSITIVE_INFINITY : Date.parse(pin.until) });
  }

  #level(customerId: string, asOf: number, day: number): number {
    const pin = this.#pins.get(customerId);
    if (pin !== undefined && asOf < pin.until) return pin.level;
    const spent = this.#spent.get(customerId);
    if (spent === undefined) return -1;
    const from = this.#settings.window === "rolling_days" ? day - (this.#settings.days ?? 365) : Number.NEGATIVE_INFINITY;
    let metric = 0;
    for (const one of spent) if (one.day > from && one.day <= day) metric += one.netMinor;
    return this.#levels.findLastIndex((level) => level.threshold <= metric);
  }
}
