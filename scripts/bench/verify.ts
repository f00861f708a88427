import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Bed } from "../bed/bed.ts";
import { drain, type DrainOptions } from "./drain.ts";
import { cpuSecondsOfTree, memoryOf } from "./processes.ts";

const script = fileURLToPath(new URL("../verify.ts", import.meta.url));
const POLL_MS = 200;

/** Drains orders through all services, then runs `npm run verify` over what they stored, and tells its time and memory. */
export function verify(options: DrainOptions, say: (line: string) => void): Promise<Record<string, unknown>> {
  return drain(options, say, async (bed) => ({ bench: "verify", ...(await runVerify(bed, say)) }));
}

async function runVerify(bed: Bed, say: (line: string) => void): Promise<Record<string, unknown>> {
  const env = { ...process.env, DATABASE_URL: bed.stack.postgresUrl, SCHEMA_REGISTRY_URL: bed.stack.registryUrl };
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [
      "--conditions=source",
      "--disable-warning=ExperimentalWarning",

      script,
      "--json",
    ],
    {
      env,
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  let peakMb = 0;
  let cpuSeconds = 0;
  const timer = setInterval(() => {
    peakMb = Math.max(peakMb, memoryOf(child.pid ?? 0).peakMb);
    cpuSeconds = Math.max(cpuSeconds, cpuSecondsOfTree(child.pid ?? 0));
  }, POLL_MS);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  clearInterval(timer);
  const lines = output.trim().split("\n");
  for (const line of lines.slice(0, -1)) say(line);
  const { summary } = JSON.parse(lines.at(-1) ?? "{}") as { summary?: unknown };
  return {
    verify: {
      exitCode: code,
      seconds: Number(((performance.now() - startedAt) / 1_000).toFixed(1)),
      cpuSeconds,
      peakMb,
      ...(summary as object),
    },
  };
}
