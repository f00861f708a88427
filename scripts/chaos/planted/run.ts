import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sourceArguments } from "../../start/run-services.ts";
import { type PlantedBug, plantedBugs } from "./bugs.ts";
import { copyCheckout, plant, removeCopy } from "./copy.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const violationsFound = 1;
const shownViolations = 3;

export class UnknownBugError extends Error {
  override readonly name = "UnknownBugError";
}

/**
 * Plants each bug in a copy of this checkout and runs the suite there, under the faults that the bug shows under. A bug that only
 * tests can meet in a reasonable time is left to those, and the line says so.
 * @param name of one bug; "" for all
 * @returns how many were not caught
 */
export async function runPlanted(name: string, say: (line: string) => void): Promise<number> {
  const chosen = plantedBugs.filter((bug) => name === "" || bug.name === name);
  if (chosen.length === 0) throw new UnknownBugError(`"${name}" is none of ${plantedBugs.map((bug) => bug.name).join(", ")}`);
  let missed = 0;
  for (const bug of chosen) {
    const found = await hunt(bug, say);
    if (found === null) missed += 1;
    say(found === null ? `MISSED  ${bug.name}: ${bug.what}` : `caught  ${bug.name}: ${bug.what}, by ${found}`);
  }
  say(`${chosen.length - missed} of ${chosen.length} planted bugs were caught`);
  return missed;
}

/** What caught the bug, null when nothing did. */
async function hunt({ replacements, under, tests }: PlantedBug, say: (line: string) => void): Promise<string | null> {
  const folder = await copyCheckout(root);
  try {
    await plant(folder, replacements);
    if (under !== null) {
      const { seed, minutes, kinds, on } = under;
      const args = ["--seed", String(seed), "--minutes", String(minutes), "--faults", kinds.join(","), "--on", on.join(",")];
      const suite = await run(folder, process.execPath, [...sourceArguments(join(folder, "scripts", "chaos.ts")), ...args]);
      const brokeOff = suite.lines.find((line) => line.startsWith("✗ the run broke off"));
      if (brokeOff !== undefined) throw new Error(brokeOff.slice(2));
      if (suite.code === violationsFound) {
        for (const line of suite.lines.filter((one) => one.startsWith("✗")).slice(0, shownViolations)) say(`        ${line.slice(0, 240)}`);
        return "the suite";
      }
      // Anything else than "all is well" means that the run itself has failed, which proves nothing.
      if (suite.code !== 0) throw new Error(`the suite ended with ${suite.code}: ${suite.lines.slice(-5).join("\n")}`);
    }
    for (const test of tests) {
      const { code } = await run(folder, join(folder, "node_modules", ".bin", "vitest"), ["run", test]);
      if (code !== 0) return test;
    }
    return null;
  } finally {
    await removeCopy(folder);
  }
}

function run(folder: string, command: string, args: readonly string[]): Promise<{ code: number | null; lines: string[] }> {
  // Jars are fetched once for all.
  const env = { ...process.env, PERKS_CACHE_DIR: process.env["PERKS_CACHE_DIR"] ?? join(root, ".perkstream", "cache") };
  const child = spawn(command, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (chunk: string) => void (text += chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, lines: text.split("\n") }));
  });
}
