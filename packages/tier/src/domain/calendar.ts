/** Days since 1970-01-01 in the merchant's time zone. */
export type Day = number;

/** Calendar arithmetic in one time zone; @perkstream/calendar has it. */
export interface Calendar {
  /** The local date of an instant (ms). */
  localDay(atMs: number): Day;
  /** The first instant (ms) of a local date. */
  startOfDay(day: Day): number;
  /** The same date in another year; 29 February becomes the 28th where there is none. */
  addYears(day: Day, years: number): Day;
  yearOf(day: Day): number;
  /** The first of January of the date's year. */
  startOfYear(day: Day): Day;
}

/** A year of a yearly window: `[startDay, endDay)`, and the one before, which ends where this begins. */
export interface Period {
  readonly previousStartDay: Day;
  readonly startDay: Day;
  readonly endDay: Day;
  /** End of the period after this one. */
  readonly nextEndDay: Day;
}

export function calendarYear(calendar: Calendar, day: Day): Period {
  const startDay = calendar.startOfYear(day);
  return {
    previousStartDay: calendar.addYears(startDay, -1),
    startDay,
    endDay: calendar.addYears(startDay, 1),
    nextEndDay: calendar.addYears(startDay, 2),
  };
}

/** The year since the last anniversary of `firstDay`. Every anniversary is counted from `firstDay`, so a leap day comes back. */
export function anniversaryYear(calendar: Calendar, firstDay: Day, day: Day): Period {
  let years = calendar.yearOf(day) - calendar.yearOf(firstDay);
  if (calendar.addYears(firstDay, years) > day) years--;
  return {
    previousStartDay: calendar.addYears(firstDay, years - 1),
    startDay: calendar.addYears(firstDay, years),
    endDay: calendar.addYears(firstDay, years + 1),
    nextEndDay: calendar.addYears(firstDay, years + 2),
  };
}
