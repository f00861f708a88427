import { addYears, startOfYear } from "@perkstream/calendar";
import type { Apply, Calendar, Level, Settings } from "../domain/index.ts";

/**
 * A second model of the tier rules, written from programs.md alone: keeps a plain list of orders, looks at every order
 * and every day again at each step, and shares no code with the domain but the calendar.
 */

export interface SlowLadder {
  readonly settings: Settings;
  readonly levels: readonly Level[];
}

interface SlowOrder {
  readonly id: string;
  readonly day: number;
  remaining: bigint;
}

export interface SlowChange {
  readonly from: string | null;
  readonly to: string | null;
  readonly reason: string;
  readonly actor: string;
  readonly asOf: number;
}

/** Far enough for every window of the tests; the slow search for the end of a validity gives up there. */
const HORIZON_DAYS = 5 * 366;

export class SlowModel {
  readonly orders: SlowOrder[] = [];
  readonly history: SlowChange[] = [];
  level: string | null = null;
  validUntil: number | null = null;
  pin: { levelId: string; untilAt: number | null; actor: string } | null = null;
  lastAsOf = Number.NEGATIVE_INFINITY;
  ladder: SlowLadder;
  readonly #calendar: Calendar;

  constructor(ladder: SlowLadder, calendar: Calendar) {
    this.ladder = ladder;
    this.#calendar = calendar;
  }

  order(id: string, day: number, net: bigint, atMs: number): void {
    const asOf = this.#arrive(atMs);
    this.orders.push({ id, day, remaining: net });
    this.lastAsOf = asOf;
    if (this.pin !== null) return;
    const today = this.#calendar.localDay(asOf);
    const reached = this.#qualified(today);
    if (this.#rank(reached) > this.#rank(this.level)) this.#enter(reached, today, "order", "system", asOf);
    else if (this.level !== null && this.validUntil !== null) {
      const end = this.#end(this.level, today);
      if (end !== "unqualified" && (end === null || end > this.validUntil)) this.validUntil = end;
    }
  }

  refund(id: string, amount: bigint, atMs: number): void {
    const asOf = this.#arrive(atMs);
    this.orders.find((order) => order.id === id)!.remaining -= amount;
    this.lastAsOf = asOf;
    if (this.pin === null && this.ladder.settings.refundPolicy === "immediate") this.#afresh("refund", "system", asOf);
  }

  /** False when there is no such level or no pin. */
  command(kind: "pin" | "promote" | "demote" | "unpin", levelId: string, untilAt: number | null, actor: string, atMs: number): boolean {
    const asOf = this.#arrive(atMs);
    if (kind === "unpin") {
      if (this.pin === null) return false;
      this.pin = null;
      this.#afresh("unpinned", actor, asOf);
      this.lastAsOf = asOf;
      return true;
    }
    const step = kind === "promote" ? 1 : -1;
    const target = kind === "pin" ? levelId : this.ladder.levels[this.#rank(this.level) + step]?.id;
    if (target === undefined || this.#rank(target) < 0) return false;
    this.pin = { levelId: target, untilAt, actor };
    this.validUntil = null;
    this.#change(target, "pinned", actor, asOf);
    this.lastAsOf = asOf;
    return true;
  }

  edit(ladder: SlowLadder, apply: Apply, actor: string, atMs: number): void {
    const asOf = this.#arrive(atMs);
    const before = this.ladder;
    this.ladder = ladder;
    const same =
      before.settings.metric === ladder.settings.metric &&
      before.settings.window === ladder.settings.window &&
      (ladder.settings.window !== "rolling_days" || before.settings.days === ladder.settings.days) &&
      JSON.stringify(before.levels.map(({ id, threshold }) => [id, `${threshold}`])) ===
        JSON.stringify(ladder.levels.map(({ id, threshold }) => [id, `${threshold}`]));
    if (same) return;
    const removed = this.level !== null && this.#rank(this.level) < 0;
    if (this.pin !== null && !removed) return;
    this.pin = null;
    this.lastAsOf = asOf;
    const today = this.#calendar.localDay(asOf);
    const reached = this.#qualified(today);
    const held = this.level;
    if (apply === "grandfather" && held !== null && !removed && this.#rank(reached) <= this.#rank(held)) {
      const end = this.#end(held, today);
      if (this.validUntil !== null && end !== "unqualified" && (end === null || end > this.validUntil)) this.validUntil = end;
      return;
    }
    this.#afresh("rules_changed", actor, asOf);
  }

  sweep(atMs: number): void {
    this.#arrive(atMs);
  }

  metric(day: number): bigint {
    const { window, days } = this.ladder.settings;
    if (window === "lifetime") return this.#sum(Number.NEGATIVE_INFINITY, day);
    if (window === "rolling_days") return this.#sum(day - days!, day);
    return this.#sum(this.#yearStart(day) - 1, day);
  }

  lastPeriodMetric(day: number): bigint {
    const start = this.#yearStart(day);
    return this.#sum(this.#yearStart(start - 1) - 1, start - 1);
  }

  /** Applies what is due and gives the as-of. */
  #arrive(atMs: number): number {
    const until = Math.max(atMs, this.lastAsOf);
    for (;;) {
      if (this.pin !== null) {
        const { untilAt, actor } = this.pin;
        if (untilAt === null || untilAt > until) return until;
        const asOf = Math.max(untilAt, this.lastAsOf);
        this.pin = null;
        this.#afresh("unpinned", actor, asOf);
        this.lastAsOf = asOf;
        continue;
      }
      if (this.validUntil === null) return until;
      const due = this.#calendar.startOfDay(this.validUntil + this.ladder.settings.graceDays);
      if (due > until) return until;
      this.#fall(Math.max(due, this.lastAsOf));
    }
  }

  #fall(asOf: number): void {
    const { settings, levels } = this.ladder;
    const today = this.#calendar.localDay(asOf);
    const reached = this.#qualified(today);
    const below = levels[this.#rank(this.level) - 1]?.id ?? null;
    this.lastAsOf = asOf;
    if (settings.downgrade === "one_down" && settings.window !== "lifetime" && this.#rank(below) > this.#rank(reached)) {
      const end = this.validUntil!;
      this.#change(below, "period_end", "system", asOf);
      this.validUntil = settings.window === "rolling_days" ? end + settings.days! : this.#yearAfter(end);
      return;
    }
    this.#enter(reached, today, "period_end", "system", asOf);
  }

  #yearAfter(day: number): number {
    if (this.#yearStart(day) !== day) return addYears(day, 1);
    let next = day + 1;
    while (this.#yearStart(next) === day) next++;
    return next;
  }

  #afresh(reason: string, actor: string, asOf: number): void {
    const today = this.#calendar.localDay(asOf);
    this.#enter(this.#qualified(today), today, reason, actor, asOf);
  }

  #enter(level: string | null, today: number, reason: string, actor: string, asOf: number): void {
    this.#change(level, reason, actor, asOf);
    const end = level === null ? null : this.#end(level, today);
    this.validUntil = end === "unqualified" ? null : end;
  }

  #change(to: string | null, reason: string, actor: string, asOf: number): void {
    if (to !== this.level) this.history.push({ from: this.level, to, reason, actor, asOf });
    this.level = to;
  }

  /** First date on which the level is no longer qualified for: goes there day by day. */
  #end(levelId: string, today: number): number | null | "unqualified" {
    const { threshold } = this.ladder.levels[this.#rank(levelId)]!;
    if (this.#better(today) < threshold) return "unqualified";
    if (this.ladder.settings.window === "lifetime" || threshold === 0n) return null;
    for (let day = today + 1; day < today + HORIZON_DAYS; day++) if (this.#better(day) < threshold) return day;
    throw new Error("the test's windows are too long");
  }

  #qualified(day: number): string | null {
    const reached = this.#better(day);
    return this.ladder.levels.findLast(({ threshold }) => threshold <= reached)?.id ?? null;
  }

  #better(day: number): bigint {
    const current = this.metric(day);
    if (!this.ladder.settings.window.endsWith("_year")) return current;
    const last = this.lastPeriodMetric(day);
    return last > current ? last : current;
  }

  #rank(levelId: string | null): number {
    return this.ladder.levels.findIndex(({ id }) => id === levelId);
  }

  /** Orders of the dates `after < d ≤ until`. */
  #sum(after: number, until: number): bigint {
    const inside = this.orders.filter(({ day }) => after < day && day <= until);
    if (this.ladder.settings.metric === "order_count") return BigInt(inside.filter(({ remaining }) => remaining > 0n).length);
    return inside.reduce((sum, { remaining }) => sum + remaining, 0n);
  }

  #yearStart(day: number): number {
    if (this.ladder.settings.window === "calendar_year") return startOfYear(day);
    if (this.orders.length === 0) return day;
    const first = Math.min(...this.orders.map((order) => order.day));
    let start = addYears(first, -8);
    for (let years = -7; addYears(first, years) <= day; years++) start = addYears(first, years);
    return start;
  }
}
