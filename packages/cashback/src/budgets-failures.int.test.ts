import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { shareBudgets } from "./store/budget-edits.ts";
import { type Bed, openBed } from "./testing/budget-bed.ts";

const PARTITIONS = 3;
const BUDGET = 1_000_000;

let bed: Bed;
beforeEach(async () => {
  bed = await openBed(inject("stack").postgresUrl, PARTITIONS);
});
afterEach(() => bed.close());

/** An owner of all partitions whose transactions fail after the program has saved, as long as told so. */
async function failingOwner() {
  const state = { failing: false };
  const saved = () => {
    if (state.failing) throw new Error("the process fails here");
  };
  return { state, open: () => bed.owner([0, 1, 2], { saved }) };
}

describe("a transaction that does not commit", () => {
  test("leaves allowances and the campaign's row as they were: with a refill, and within an allowance", async () => {
    const shop = await bed.merchant([{ budgetMinor: BUDGET }]);
    const { state, open } = await failingOwner();
    for (const [orderId, net] of [
      ["refill", 1_000],
      ["within", 2_000],
    ] as const) {
      const before = await shop.seen("k0");
      state.failing = true;
      await expect((await open()).feed([shop.order(0, orderId, net)])).rejects.toThrow("fails here");
      expect(await shop.seen("k0")).toEqual(before);
      state.failing = false;
      await (await open()).feed([shop.order(0, orderId, net)]);
    }
    expect((await shop.seen("k0")).used).toBe(300n);
  });

  test("after the change to shared keeps the change and no award; the same chunk again gets what is left", async () => {
    const shop = await bed.merchant([{ budgetMinor: BUDGET }]);
    const { state, open } = await failingOwner();
    await (await open()).feed([0, 1, 2].map((part) => shop.order(part, `o${part}`, 1_000)));
    state.failing = true;
    await expect((await open()).feed([shop.order(0, "large", 20_000_000)])).rejects.toThrow("fails here");
    expect(await shop.seen("k0")).toMatchObject({ shared: true, taken: 300n, held: 0n, used: 300n });
    state.failing = false;
    await (await open()).feed([shop.order(0, "large", 20_000_000)]);
    expect(await shop.seen("k0")).toMatchObject({ taken: BigInt(BUDGET), used: BigInt(BUDGET) });
  });
});

describe("the change to shared", () => {
  /** Runs the change in a process of its own that ends itself before the commit; resolves to its signal. */
  function dieMidChange(campaign: number): Promise<NodeJS.Signals | null> {
    const settings = { url: bed.url, partitions: [0, 1, 2], campaign, budgetMinor: BUDGET };
    const script = fileURLToPath(new URL("./testing/budget-process.ts", import.meta.url));
    const flags = ["--conditions=source", "--disable-warning=ExperimentalWarning"];
    const child = spawn(process.execPath, [...flags, script, JSON.stringify(settings)], { stdio: ["ignore", "ignore", "inherit"] });
    return new Promise((resolve) => child.on("exit", (_code, signal) => resolve(signal)));
  }

  test("of a process that dies in it has not happened, and holds up nobody", async () => {
    const shop = await bed.merchant([{ budgetMinor: BUDGET }]);
    const owner = await bed.owner([0, 1, 2]);
    await owner.feed([0, 1, 2].map((part) => shop.order(part, `o${part}`, 1_000)));
    const before = await shop.seen("k0");
    expect(await dieMidChange(await shop.campaign("k0"))).toBe("SIGKILL");
    expect(await shop.seen("k0")).toEqual(before);
    await owner.feed([shop.order(0, "within", 1_000)]);
    expect(await shop.seen("k0")).toEqual({ ...before, held: before.held - 100n, used: 400n });
    await owner.feed([shop.order(1, "large", 20_000_000)]);
    expect(await shop.seen("k0")).toMatchObject({ shared: true, taken: BigInt(BUDGET), used: BigInt(BUDGET) });
  });

  test("is done once by those who ask at the same time, and not at all when the budget was edited since", async () => {
    const shop = await bed.merchant([{ budgetMinor: BUDGET }]);
    const campaign = await shop.campaign("k0");
    const owner = await bed.owner([0, 1, 2]);
    await owner.feed([shop.order(0, "o", 1_000)]);
    const low = [{ campaign, budgetMinor: BigInt(BUDGET) }];
    await shop.edit("k0", { budgetMinor: 2 * BUDGET });
    await shareBudgets(bed.sql, low);
    expect((await shop.seen("k0")).shared).toBe(false);
    await shop.edit("k0", { budgetMinor: BUDGET });
    await Promise.all([1, 2, 3, 4].map(() => shareBudgets(bed.sql, low)));
    expect(await shop.seen("k0")).toMatchObject({ shared: true, taken: 100n, used: 100n });
  });
});
