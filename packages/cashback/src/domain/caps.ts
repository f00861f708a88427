import type { LocalCalendar } from "./calendar.ts";
import type { CapPeriod } from "./campaign.ts";

/** Numbers of the cap periods as stored; also bits of the set of periods that a campaign keeps count of. */
export const capPeriodCode: Readonly<Record<CapPeriod, number>> = { day: 1, month: 2, campaign: 4 };

/** The period of a cap that a local date falls in: the date, year × 12 + month, or 0 for the whole campaign. */
export function capPeriodKey(period: CapPeriod, localDay: number, calendar: LocalCalendar): number {
  switch (period) {
    case "day":
      return localDay;
    case "month":
      return calendar.monthOf(localDay);
    case "campaign":
      return 0;
  }
}

/** `2025-01-31`, `2025-01` or `campaign`. */
export function capPeriodText(period: CapPeriod, key: number): string {
  switch (period) {
    case "day":
      return new Date(key * 86_400_000).toISOString().slice(0, 10);
    case "month":
      return `${String(Math.floor(key / 12)).padStart(4, "0")}-${String((key % 12) + 1).padStart(2, "0")}`;
    case "campaign":
      return "campaign";
  }
}
