// npm run fuzz: the fuzz tests at length. The same tests run a slice of it, with a fixed seed, in `npm test`.
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./checks/steps.ts";

const files = {
  decoders: ["packages/contracts/src/fuzz.unit.test.ts", "packages/orders/src/fuzz.unit.test.ts"],
  api: ["services/merchant-api/src/fuzz.int.test.ts"],
  frames: ["services/notifier/src/fuzz.int.test.ts"],
} as const;

const usage = `npm run fuzz -- [options]
  --cases 100000   of each
  --seed <number>  default: another one each time; it is printed with the figures
  --only <what>    ${Object.keys(files).join(", ")}; default: all, one after the other`;

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      cases: { type: "string", default: "100000" },
      seed: { type: "string", default: String(randomInt(1, 2 ** 31)) },
      only: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const env = { ...process.env, PERKS_FUZZ_CASES: whole("cases", values.cases), PERKS_FUZZ_SEED: whole("seed", values.seed) };
  return runTests(filesOf(values.only), env);
}

function filesOf(only: string | undefined): readonly string[] {
  if (only === undefined) return Object.values(files).flat();
  const chosen = Object.entries(files).find(([name]) => name === only);
  if (chosen === undefined) throw new Error(`--only must be one of ${Object.keys(files).join(", ")}\n\n${usage}`);
  return chosen[1];
}

function whole(name: string, text: string): string {
  if (/^[1-9]\d*$/.test(text)) return text;
  throw new Error(`--${name} must be a whole number from 1 on\n\n${usage}`);
}

function runTests(tests: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const vitest = join(root, "node_modules", ".bin", "vitest");
  const child = spawn(vitest, ["run", "--maxWorkers=1", ...tests], { cwd: root, env, stdio: "inherit" });
  return new Promise((resolve, reject) => child.once("error", reject).once("exit", (code) => resolve(code ?? 1)));
}
