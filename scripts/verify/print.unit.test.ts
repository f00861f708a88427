import type { Difference } from "@perkstream/verify";
import { expect, test } from "vitest";
import { jsonOf, lineOf, PrintedReport } from "./print.ts";

const changed: Difference = {
  program: "cashback",
  thing: "transfer",
  problem: "changed",
  where: { customer: "anna", transfer: 12 },
  expected: { amount: 1_000n, offset: null },
  found: { amount: 1_001n, offset: 7 },
};

test("a difference is one line: what, where, and each field with what it should be", () => {
  expect(lineOf(changed)).toBe(
    "cashback transfer changed: customer anna, transfer 12 — amount is 1001, should be 1000; offset is 7, should be none",
  );
  expect(lineOf({ ...changed, problem: "missing", found: null, note: "a note" })).toBe(
    "cashback transfer missing: customer anna, transfer 12 — expected amount 1000, offset none (a note)",
  );
  expect(lineOf({ ...changed, problem: "unexpected", expected: null })).toBe(
    "cashback transfer unexpected: customer anna, transfer 12 — found amount 1001, offset 7",
  );
});

test("amounts that a JSON number cannot hold are text", () => {
  expect(jsonOf({ a: 5n, b: 2n ** 60n })).toBe(`{"a":5,"b":"${2n ** 60n}"}`);
});

test("of one kind only so many are printed, all are counted; other programs are left out", () => {
  const printed: Difference[] = [];
  const report = new PrintedReport(["cashback"], 2, (difference) => printed.push(difference));
  for (let i = 0; i < 5; i++) report.difference(changed);
  report.difference({ ...changed, thing: "lot" });
  report.difference({ ...changed, program: "tier" });
  expect([printed.length, report.differences, report.kinds.get("cashback transfer changed")]).toEqual([3, 6, 5]);
});
