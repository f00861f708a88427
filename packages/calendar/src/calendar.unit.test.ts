import { describe, expect, it } from "vitest";
import {
  addMonths,
  addYears,
  dayOf,
  formatDay,
  formatMonth,
  instantOf,
  isTimeZone,
  localDay,
  offsetAt,
  startOfDay,
  startOfMonth,
  startOfYear,
  yearMonth,
} from "./index.ts";

const at = (text: string): number => Date.parse(text);
const iso = (ms: number): string => new Date(ms).toISOString();
const start = (text: string, zone: string): string => iso(startOfDay(dayOf(text), zone));
const local = (text: string, zone: string): string => formatDay(localDay(at(text), zone));

describe("dates", () => {
  it("reads and writes dates, and refuses what is none", () => {
    expect(dayOf("1970-01-01")).toBe(0);
    expect(dayOf("1969-12-31")).toBe(-1);
    expect(formatDay(dayOf("2024-02-29"))).toBe("2024-02-29");
    expect(formatDay(dayOf("0050-03-01"))).toBe("0050-03-01");
    expect(formatMonth(dayOf("2025-01-31"))).toBe("2025-01");
    for (const text of ["2023-02-29", "2024-13-01", "2024-1-1", "2024-00-10", "", "2024-02-30"]) {
      expect(() => dayOf(text)).toThrow(RangeError);
    }
  });

  it("keeps the end of the month when adding months", () => {
    const cases: [string, number, string][] = [
      ["2024-01-31", 1, "2024-02-29"],
      ["2023-01-31", 1, "2023-02-28"],
      ["2024-03-31", -1, "2024-02-29"],
      ["2024-12-15", 1, "2025-01-15"],
      ["2024-01-15", -1, "2023-12-15"],
      ["2024-08-31", 18, "2026-02-28"],
      ["2024-05-31", 0, "2024-05-31"],
      ["2100-01-29", 1, "2100-02-28"],
      ["2000-01-29", 1, "2000-02-29"],
    ];
    for (const [from, months, to] of cases) {
      expect([from, months, formatDay(addMonths(dayOf(from), months))]).toEqual([from, months, to]);
    }
  });

  it("puts 29 February on the 28th in other years", () => {
    const leap = dayOf("2024-02-29");
    expect(formatDay(addYears(leap, 1))).toBe("2025-02-28");
    expect(formatDay(addYears(leap, 4))).toBe("2028-02-29");
    expect(formatDay(addYears(leap, -24))).toBe("2000-02-29");
  });

  it("knows starts of months and years", () => {
    const day = dayOf("2024-02-29");
    expect(formatDay(startOfMonth(day))).toBe("2024-02-01");
    expect(formatDay(startOfYear(day))).toBe("2024-01-01");
    expect(yearMonth(day)).toEqual({ year: 2024, month: 2 });
  });
});

describe("local dates", () => {
  it("follows the zone's date line", () => {
    expect(local("2025-01-01T04:59:59.999Z", "America/New_York")).toBe("2024-12-31");
    expect(local("2025-01-01T05:00:00Z", "America/New_York")).toBe("2025-01-01");
    expect(local("2025-01-01T10:00:00Z", "Pacific/Kiritimati")).toBe("2025-01-02");
    expect(local("2025-06-30T23:30:00Z", "UTC")).toBe("2025-06-30");
    expect(local("1969-12-31T23:59:59.999Z", "UTC")).toBe("1969-12-31");
  });

  it("changes at the very millisecond the clocks change", () => {
    const spring = at("2025-03-30T01:00:00Z");
    expect(offsetAt(spring - 1, "Europe/London")).toBe(0);
    expect(offsetAt(spring, "Europe/London")).toBe(3_600_000);
    const autumn = at("2025-10-26T01:00:00Z");
    expect(offsetAt(autumn - 1, "Europe/London")).toBe(3_600_000);
    expect(offsetAt(autumn, "Europe/London")).toBe(0);
  });

  it("knows offsets that are not whole hours or minutes", () => {
    expect(offsetAt(at("2025-01-01T00:00:00Z"), "Asia/Kathmandu")).toBe(5.75 * 3_600_000);
    expect(offsetAt(at("2025-01-01T00:00:00Z"), "Australia/Lord_Howe")).toBe(11 * 3_600_000);
    expect(offsetAt(at("2025-07-01T00:00:00Z"), "Australia/Lord_Howe")).toBe(10.5 * 3_600_000);
    // Liberia was 44 min 30 s behind until 1972.
    expect(offsetAt(at("1971-06-01T00:00:00Z"), "Africa/Monrovia")).toBe(-(44 * 60 + 30) * 1000);
  });

  it("starts a day after a midnight that the clocks skip", () => {
    expect(start("2018-11-04", "America/Sao_Paulo")).toBe("2018-11-04T03:00:00.000Z");
    expect(local("2018-11-04T02:59:59.999Z", "America/Sao_Paulo")).toBe("2018-11-03");
    expect(start("2024-09-08", "America/Santiago")).toBe("2024-09-08T04:00:00.000Z");
  });

  it("takes the first of two midnights", () => {
    // Havana goes back from 01:00 to 00:00.
    expect(start("2024-11-03", "America/Havana")).toBe("2024-11-03T04:00:00.000Z");
    // Sao Paulo went back from 00:00 to 23:00: the date began only an hour later.
    expect(start("2018-02-18", "America/Sao_Paulo")).toBe("2018-02-18T03:00:00.000Z");
    // St John's went back at 00:01: the date began for one minute, and again an hour later.
    expect(start("2010-11-07", "America/St_Johns")).toBe("2010-11-07T02:30:00.000Z");
  });

  it("gives the next date's start for a date that a zone skipped", () => {
    expect(start("2011-12-30", "Pacific/Apia")).toBe("2011-12-30T10:00:00.000Z");
    expect(start("2011-12-31", "Pacific/Apia")).toBe("2011-12-30T10:00:00.000Z");
    expect(local("2011-12-30T09:59:59.999Z", "Pacific/Apia")).toBe("2011-12-29");
  });

  it("reads a local time: the first of two, the jump for one that is skipped", () => {
    const half = 30 * 60_000;
    expect(iso(instantOf(dayOf("2011-10-30"), 3_600_000 + half, "Europe/London"))).toBe("2011-10-30T00:30:00.000Z");
    expect(iso(instantOf(dayOf("2011-03-27"), 3_600_000 + half, "Europe/London"))).toBe("2011-03-27T01:00:00.000Z");
    expect(iso(instantOf(dayOf("2011-07-01"), 12 * 3_600_000, "Europe/London"))).toBe("2011-07-01T11:00:00.000Z");
  });

  it("agrees with Intl throughout two years in zones with odd changes", () => {
    const zones = ["Africa/Casablanca", "Asia/Tehran", "Europe/Dublin", "Antarctica/Troll", "Asia/Gaza", "Africa/Cairo"];
    const from = at("2009-12-20T00:00:00Z");
    const wrong: string[] = [];
    for (const zone of zones) {
      const day = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
      for (let ms = from; ms < from + 2 * 366 * 86_400_000; ms += 4 * 3_600_000 + 900_000) {
        if (formatDay(localDay(ms, zone)) !== day.format(ms)) wrong.push(`${zone} ${iso(ms)}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("starts are the first instant of their date, in every zone this machine knows", () => {
    const wrong: string[] = [];
    for (const zone of Intl.supportedValuesOf("timeZone")) {
      for (const date of ["1994-12-31", "2011-03-27", "2024-02-29", "2024-03-31", "2025-11-02"]) {
        const day = dayOf(date);
        const ms = startOfDay(day, zone);
        if (localDay(ms - 1, zone) >= day || localDay(ms, zone) < day) wrong.push(`${zone} ${date}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe("isTimeZone", () => {
  it("takes names of the IANA database only", () => {
    const names = ["UTC", "Europe/London", "America/Argentina/Buenos_Aires", "Etc/GMT+5"];
    expect(names.filter((name) => !isTimeZone(name))).toEqual([]);
    const others = ["", "+01:00", "Mars/Olympus", "Europe/London ", "constructor", "x".repeat(100)];
    expect(others.filter(isTimeZone)).toEqual([]);
  });
});
