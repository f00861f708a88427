export {
  addMonths,
  addYears,
  type CivilDate,
  civilDate,
  dayFrom,
  dayMs,
  dayOf,
  daysInMonth,
  formatDay,
  formatMonth,
  startOfMonth,
  startOfYear,
  yearMonth,
  yearOf,
} from "./dates.ts";
export { instantOf, localDay, startOfDay } from "./local.ts";
export { isTimeZone, offsetAt } from "./offsets.ts";
