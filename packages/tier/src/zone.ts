import { addYears, localDay, startOfDay, startOfYear, yearOf } from "@perkstream/calendar";
import type { Calendar } from "./domain/index.ts";

const calendars = new Map<string, Calendar>();

/** The calendar of a time zone; there are some hundred zones, so all that were asked for are kept. */
export function calendarOf(timeZone: string): Calendar {
  const known = calendars.get(timeZone);
  if (known !== undefined) return known;
  const calendar: Calendar = {
    localDay: (atMs) => localDay(atMs, timeZone),
    startOfDay: (day) => startOfDay(day, timeZone),
    addYears,
    yearOf,
    startOfYear,
  };
  calendars.set(timeZone, calendar);
  return calendar;
}
