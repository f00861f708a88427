import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { plantedBugs } from "./bugs.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

test.each(plantedBugs)("$name can still be planted", async ({ replacements }) => {
  for (const { file, from, to } of replacements) {
    expect((await readFile(`${root}${file}`, "utf8")).split(from), `${from} in ${file}`).toHaveLength(2);
    expect(to).not.toBe(from);
  }
});

test("names are unique, and each bug is hunted by something", () => {
  expect(new Set(plantedBugs.map(({ name }) => name)).size).toBe(plantedBugs.length);
  for (const { under, tests } of plantedBugs) expect(under !== null || tests.length > 0).toBe(true);
});
