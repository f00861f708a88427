import { addMonths, localDay, startOfDay, startOfMonth, yearMonth } from "@perkstream/calendar";
import type { LocalCalendar } from "./domain/index.ts";

const known = new Map<string, LocalCalendar>();

/** The domain's calendar of a time zone. */
export function calendarOf(timeZone: string): LocalCalendar {
  let calendar = known.get(timeZone);
  if (calendar === undefined) {
    calendar = {
      localDay: (ms) => localDay(ms, timeZone),
      startOfDay: (day) => startOfDay(day, timeZone),
      addMonths,
      startOfMonth,
      monthOf: (day) => {
        const { year, month } = yearMonth(day);
        return year * 12 + month - 1;
      },
    };
    known.set(timeZone, calendar);
  }
  return calendar;
}
