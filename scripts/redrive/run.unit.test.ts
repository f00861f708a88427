import { describe, expect, it } from "vitest";
import type { DeadLetters, Letter } from "./api.ts";
import { parseRedriveOptions } from "./options.ts";
import { findEvents, redriveAll } from "./run.ts";

const all = parseRedriveOptions([]);
const at = (minute: number) => new Date(Date.UTC(2025, 0, 1, 0, minute)).toISOString();

function letterOf(minute: number, offset: number, changes: Partial<Letter> = {}): Letter {
  const id = `${changes.program ?? "tier"}-${changes.partition ?? 0}-${offset}-${minute}`;
  const common = { program: "tier", reason: "unknown_merchant", message: "", partition: 0, redrivenAt: null };
  return { id, offset, createdAt: at(minute), ...common, ...changes };
}

/** Dead letters of an API that judges `stubborn` offsets as before. */
function kept(list: Letter[], stubborn: readonly number[] = []): DeadLetters & { readonly redriven: string[] } {
  const redriven: string[] = [];
  return {
    redriven,
    async *list({ program, reason }) {
      const found = list
        .filter((letter) => (program === null || letter.program === program) && (reason === null || letter.reason === reason))
        .toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
      for (let from = 0; from === 0 || from < found.length; from += 2) yield found.slice(from, from + 2);
    },
    async redrive(id) {
      redriven.push(id);
      const { partition, offset } = list.find((letter) => letter.id === id)!;
      for (const [i, letter] of list.entries()) if (letter.offset === offset) list[i] = { ...letter, redrivenAt: at(50) };
      if (stubborn.includes(offset)) list.push(letterOf(51, offset, { partition }));
      return { partition, offset };
    },
  };
}

describe("events to be read once more", () => {
  const letters = kept([
    letterOf(1, 9),
    letterOf(2, 9, { program: "cashback" }),
    letterOf(3, 4, { reason: "currency_mismatch" }),
    letterOf(4, 2, { partition: 1 }),
    letterOf(5, 7, { redrivenAt: at(6) }),
  ]);
  const placesOf = async (selection: Partial<typeof all>) =>
    (await findEvents(letters, { ...all, ...selection })).map(({ partition, offset }) => `${partition}:${offset}`);

  it("are each one event, in the order of the topic, without those that were redriven", async () => {
    expect(await placesOf({})).toEqual(["0:4", "0:9", "1:2"]);
  });

  it("are those of a reason, a program or a time", async () => {
    expect(await placesOf({ reason: "currency_mismatch" })).toEqual(["0:4"]);
    expect(await placesOf({ program: "cashback" })).toEqual(["0:9"]);
    expect(await placesOf({ from: Date.parse(at(3)), to: Date.parse(at(4)) })).toEqual(["0:4"]);
  });
});

describe("reading once more", () => {
  it("goes partition by partition, and counts what failed again", async () => {
    const letters = kept([letterOf(1, 3), letterOf(1, 4), letterOf(2, 9, { partition: 1 })], [4]);
    const progress: number[] = [];
    const lanes = [["tier-0-3-1", "tier-0-4-1"], ["tier-1-9-2"]];
    expect(await redriveAll(letters, lanes, (done) => progress.push(done))).toEqual({ redriven: 3, failedAgain: 1 });
    expect(letters.redriven.filter((id) => id.startsWith("tier-0"))).toEqual(["tier-0-3-1", "tier-0-4-1"]);
    expect(progress).toEqual([1, 2, 3]);
    expect(await findEvents(letters, all)).toMatchObject([{ partition: 0, offset: 4, id: "tier-0-4-51" }]);
    expect(await redriveAll(kept([]), [], () => {})).toEqual({ redriven: 0, failedAgain: 0 });
  });
});

describe("options", () => {
  it("take ids or filters, and times", () => {
    expect(parseRedriveOptions(["--id", "a", "--id", "b", "--dry-run"])).toMatchObject({ ids: ["a", "b"], isDryRun: true });
    expect(parseRedriveOptions(["--from", "2025-01-01T00:00:00Z"])).toMatchObject({ from: Date.UTC(2025, 0, 1), to: null });
    expect(() => parseRedriveOptions(["--id", "a", "--reason", "x"])).toThrow("--id and --reason");
    expect(() => parseRedriveOptions(["--to", "soon"])).toThrow("--to must be a time");
    expect(() => parseRedriveOptions(["--all"])).toThrow("--all");
  });
});
