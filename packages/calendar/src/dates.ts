/**
 * Local dates as integers: days since 1970-01-01 (proleptic Gregorian calendar). No time zones here.
 */

export const dayMs = 86_400_000;

const datePattern = /^(\d{4})-(\d{2})-(\d{2})$/;

/** A date taken apart; `month` is 1 to 12. */
export interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly dayOfMonth: number;
}

/**
 * The day number of a civil date. `dayOfMonth` beyond the month's end runs on into the next month, as `Date.UTC` does;
 * use `addMonths` where the end of a month must hold.
 */
export function dayFrom(year: number, month: number, dayOfMonth: number): number {
  // Date.UTC reads years 0 to 99 as 1900 to 1999.
  if (year >= 0 && year < 100) {
    const date = new Date(0);
    date.setUTCFullYear(year, month - 1, dayOfMonth);
    return date.getTime() / dayMs;
  }
  return Date.UTC(year, month - 1, dayOfMonth) / dayMs;
}

export function civilDate(day: number): CivilDate {
  const date = new Date(day * dayMs);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    dayOfMonth: date.getUTCDate(),
  };
}

/** The day number of `YYYY-MM-DD`. Throws a RangeError when the text is no date of the calendar. */
export function dayOf(text: string): number {
  const match = datePattern.exec(text);
  if (match !== null) {
    const day = dayFrom(Number(match[1]), Number(match[2]), Number(match[3]));
    if (formatDay(day) === text) return day;
  }
  throw new RangeError(`not a date of the form YYYY-MM-DD: ${text.slice(0, 32)}`);
}

/** `YYYY-MM-DD` of a day from year 0 to 9999. */
export function formatDay(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

/** `YYYY-MM` of a day from year 0 to 9999. */
export function formatMonth(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 7);
}

/** Year and month (1 to 12) of a day. */
export function yearMonth(day: number): { readonly year: number; readonly month: number } {
  const date = new Date(day * dayMs);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1 };
}

export function yearOf(day: number): number {
  return new Date(day * dayMs).getUTCFullYear();
}

export function daysInMonth(year: number, month: number): number {
  return civilDate(dayFrom(year, month + 1, 1) - 1).dayOfMonth;
}

/** The same day of the month `months` later (earlier if negative); a day that this month lacks becomes its last. */
export function addMonths(day: number, months: number): number {
  const { year, month, dayOfMonth } = civilDate(day);
  const index = year * 12 + (month - 1) + months;
  const toYear = Math.floor(index / 12);
  const toMonth = index - toYear * 12 + 1;
  return dayFrom(toYear, toMonth, Math.min(dayOfMonth, daysInMonth(toYear, toMonth)));
}

/** The same date `years` later; 29 February becomes the 28th in other years. */
export function addYears(day: number, years: number): number {
  return addMonths(day, years * 12);
}

export function startOfMonth(day: number): number {
  return day - (civilDate(day).dayOfMonth - 1);
}

export function startOfYear(day: number): number {
  return dayFrom(yearOf(day), 1, 1);
}
