/** Local dates of one time zone. Dates are days since 1970-01-01, instants ms since 1970. */
export interface LocalCalendar {
  /** The local date of an instant. */
  localDay(ms: number): number;
  /** The first instant of a local date. */
  startOfDay(day: number): number;
  /** Same day of the month, so many months later; the first of a month stays the first. */
  addMonths(day: number, months: number): number;
  /** year × 12 + month (0–11). */
  monthOf(day: number): number;
  /** The first day of the month of `day`. */
  startOfMonth(day: number): number;
}

export const DAY_MS = 86_400_000;
