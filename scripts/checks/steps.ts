import { spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const bin = (name: string) => join(root, "node_modules", ".bin", name);
const node = process.execPath;
const flags = ["--conditions=source", "--disable-warning=ExperimentalWarning"];

export interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Judges the output of a command that ended with 0. */
  readonly verify?: (output: string) => string | null;
}

/** dependency-cruiser finds no modules at all when it cannot load the compiler, and calls that clean. */
const MIN_MODULES = 150;

function enoughModules(output: string): string | null {
  const count = Number(/(\d+) modules/.exec(output)?.[1] ?? 0);
  return count >= MIN_MODULES ? null : `only ${count} modules were looked at, at least ${MIN_MODULES} are there`;
}

/** What is checked without running the product, in the order of how fast it fails. */
const staticSteps: readonly Step[] = [
  { name: "format", command: [bin("oxfmt"), "--check", "."] },
  { name: "types", command: [bin("tsc"), "-b"] },
  { name: "lint with types", command: [bin("oxlint"), "--type-aware"] },
  {
    name: "boundaries",
    command: [bin("depcruise"), "--config", ".dependency-cruiser.cjs", "packages", "services", "scripts"],
    verify: enoughModules,
  },
  { name: "unused code", command: [bin("knip")] },
  { name: "schema compatibility", command: [node, ...flags, "scripts/schemas.ts", "check"] },
  { name: "generated contracts", command: [node, ...flags, "scripts/schemas.ts", "generate", "--check"] },
];

export interface StepResult {
  readonly name: string;
  readonly passed: boolean;
  readonly output: string;
  readonly durationMs: number;
}

/** Runs a step; its output goes to `.perkstream/checks/<name>.log` as well. */
export async function runStep(step: Step, onOutput: (text: string) => void = () => {}): Promise<StepResult> {
  const began = performance.now();
  const folder = join(root, ".perkstream", "checks");
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
  const log = createWriteStream(join(folder, `${step.name.replaceAll(" ", "-")}.log`));
  let output = "";
  const [command, ...args] = step.command;
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, FORCE_COLOR: "0" } });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      log.write(text);
      onOutput(text);
    });
  }
  const code = await new Promise<number>((resolve) => {
    child.on("error", () => resolve(127));
    child.on("exit", (exitCode) => resolve(exitCode ?? 1));
  });
  log.end();
  const complaint = code === 0 ? (step.verify?.(output) ?? null) : `ended with ${code}`;
  return {
    name: step.name,
    passed: complaint === null,
    output: complaint === null ? output : `${output}\n${complaint}`,
    durationMs: performance.now() - began,
  };
}

/** Runs the static steps one after the other and prints a line for each; the output only of those that failed. */
export async function runStaticSteps(): Promise<{ passed: number; failed: number }> {
  let passed = 0;
  let failed = 0;
  for (const step of staticSteps) {
    const result = await runStep(step);
    console.log(`${result.passed ? "✓" : "✗"} ${result.name} (${(result.durationMs / 1_000).toFixed(1)} s)`);
    if (result.passed) passed += 1;
    else {
      failed += 1;
      console.log(result.output.split("\n").slice(-120).join("\n"));
    }
  }
  return { passed, failed };
}
