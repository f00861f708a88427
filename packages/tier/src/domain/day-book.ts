import type { Day } from "./calendar.ts";
import type { Metric } from "./ladder.ts";

/**
 * What a customer's orders come to on each local date: remaining net and orders with something remaining.
 * Mutable and sorted by date. `fromDay` is the first date that it knows everything of: asking for more is a defect,
 * and what is added before it is left out.
 */
export class DayBook {
  readonly fromDay: Day;
  readonly #days: Day[] = [];
  readonly #nets: bigint[] = [];
  readonly #orders: number[] = [];

  constructor(fromDay: Day = Number.NEGATIVE_INFINITY) {
    this.fromDay = fromDay;
  }

  get size(): number {
    return this.#days.length;
  }

  /** Adds to a date; negative amounts take away. */
  add(day: Day, netMinor: bigint, orders: number): void {
    if (day < this.fromDay) return;
    const at = this.#indexFrom(day);
    if (this.#days[at] === day) {
      this.#nets[at] = this.#nets[at]! + netMinor;
      this.#orders[at] = this.#orders[at]! + orders;
      return;
    }
    this.#days.splice(at, 0, day);
    this.#nets.splice(at, 0, netMinor);
    this.#orders.splice(at, 0, orders);
  }

  /** The metric of the dates from `fromDay` to `toDay`, both included. */
  sum(metric: Metric, fromDay: Day, toDay: Day = Number.POSITIVE_INFINITY): bigint {
    this.#mustKnow(fromDay);
    let orders = 0;
    let netMinor = 0n;
    for (let i = this.#indexFrom(fromDay); i < this.#days.length && this.#days[i]! <= toDay; i++) {
      if (metric === "net_spend") netMinor += this.#nets[i]!;
      else orders += this.#orders[i]!;
    }
    return metric === "net_spend" ? netMinor : BigInt(orders);
  }

  /**
   * The first date after `day` on which the `length` dates that end on it come to less than `threshold` (above 0);
   * null when they do on `day` already.
   */
  firstShortfall(metric: Metric, length: number, threshold: bigint, day: Day): Day | null {
    let inWindow = this.sum(metric, day - length + 1, day);
    if (inWindow < threshold) return null;
    let leaving = this.#indexFrom(day - length + 1);
    let entering = this.#indexFrom(day + 1);
    // The threshold is above 0, so the sum falls below it at the latest when the last date has left.
    for (;;) {
      const leaves = this.#days[leaving]! + length;
      if (entering < this.#days.length && this.#days[entering]! <= leaves) {
        inWindow += this.#value(metric, entering++);
        continue;
      }
      inWindow -= this.#value(metric, leaving++);
      if (inWindow < threshold) return leaves;
    }
  }

  #value(metric: Metric, at: number): bigint {
    return metric === "net_spend" ? this.#nets[at]! : BigInt(this.#orders[at]!);
  }

  /** Index of the first date that is not before `day`. */
  #indexFrom(day: Day): number {
    let low = 0;
    let high = this.#days.length;
    // Most orders are of the last date.
    if (high > 0 && this.#days[high - 1]! < day) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#days[middle]! < day) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #mustKnow(fromDay: Day): void {
    if (fromDay < this.fromDay) throw new Error(`the days before ${this.fromDay} are not loaded, ${fromDay} was asked for`);
  }
}
