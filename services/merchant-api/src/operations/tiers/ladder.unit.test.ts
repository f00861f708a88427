import { describe, expect, test } from "vitest";
import { Refusal } from "../../errors.ts";
import { ladderBody } from "../../schemas/ladder.ts";
import { ladderFrom, withChangedLevel, withLevel, withoutLevel } from "./ladder.ts";

const newId = () => "made";
const level = (id: string, threshold: number) => ({ id, name: id, threshold, cashbackMultiplierBps: 10_000 });
const parsed = (levels: object[], settings: object = {}) => ladderBody.parse({ settings, levels });
const ladder = (...ids: [string, number][]) => {
  const content = ladderFrom(parsed(ids.map(([id, threshold]) => level(id, threshold))), newId);
  if (content instanceof Refusal) throw new Error(content.detail);
  return content;
};
const refusal = (result: unknown) =>
  result instanceof Refusal ? { code: result.code, paths: result.errors.map(({ path }) => path) } : null;

describe("a ladder of a request", () => {
  test("what is left out has defaults; days only with rolling_days", () => {
    expect(ladder(["a", 0]).settings).toEqual({
      metric: "net_spend",
      window: "rolling_days",
      days: 365,
      refundPolicy: "immediate",
      downgrade: "drop_to_qualified",
      graceDays: 0,
    });
    const yearly = ladderFrom(parsed([], { window: "calendar_year", days: 30 }), newId);
    expect(yearly instanceof Refusal ? null : yearly.settings).not.toHaveProperty("days");
  });

  test("a level without id and name gets them", () => {
    const content = ladderFrom(parsed([{ threshold: 0 }]), newId);
    expect(content).toMatchObject({ levels: [{ id: "made", name: "made", threshold: 0, cashbackMultiplierBps: 10_000 }] });
  });

  test("thresholds must rise strictly and ids be different", () => {
    expect(refusal(ladderFrom(parsed([level("a", 10), level("b", 10)]), newId))).toEqual({
      code: "invalid_request",
      paths: ["levels.1.threshold"],
    });
    expect(refusal(ladderFrom(parsed([level("a", 10), level("a", 20)]), newId))).toEqual({
      code: "invalid_request",
      paths: ["levels.1.id"],
    });
  });
});

describe("one level", () => {
  const before = ladder(["a", 0], ["c", 100]);

  test("is added at its place", () => {
    expect(withLevel(before, parsed([level("b", 50)]).levels[0]!, newId)).toMatchObject({
      levels: [{ id: "a" }, { id: "b" }, { id: "c" }],
    });
    expect(refusal(withLevel(before, parsed([level("a", 50)]).levels[0]!, newId))?.code).toBe("id_taken");
    expect(refusal(withLevel(before, parsed([level("b", 100)]).levels[0]!, newId))).toEqual({
      code: "invalid_request",
      paths: ["threshold"],
    });
  });

  test("changes only what is given and moves by its threshold", () => {
    expect(withChangedLevel(before, "a", { threshold: 200 })).toMatchObject({
      levels: [{ id: "c" }, { id: "a", name: "a", threshold: 200 }],
    });
    expect(refusal(withChangedLevel(before, "x", {}))?.code).toBe("not_found");
  });

  test("is removed", () => {
    expect(withoutLevel(before, "a")).toMatchObject({ levels: [{ id: "c" }] });
    expect(refusal(withoutLevel(before, "x"))?.code).toBe("not_found");
  });
});
