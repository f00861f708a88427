// npm run chaos: the product on a stack of its own, hurt by a seeded schedule of faults; afterwards nothing may be lost and nothing be there twice.
import { ChaosOptionError, parseChaosOptions, usage } from "./chaos/options.ts";
import { runPlanted, UnknownBugError } from "./chaos/planted/run.ts";
import { linesOf } from "./chaos/report.ts";
import { runChaos } from "./chaos/run.ts";
import { describeFault, schedule } from "./chaos/schedule.ts";

const say = (line: string) => console.log(line);

try {
  const code = await main(process.argv.slice(2));
  // By itself it may never end: when sockets were reset in the middle, Node's own cleanup of handles sometimes spins for ever.
  process.exit(code);
} catch (error) {
  const isUsage = error instanceof ChaosOptionError || error instanceof UnknownBugError;
  console.error(isUsage ? `${error.message}\n\n${usage}` : error);
  process.exitCode = isUsage ? 2 : 3;
}

/** 0: nothing lost, nothing twice, or every planted bug caught; 1: not so. */
async function main(args: readonly string[]): Promise<number> {
  const options = parseChaosOptions(args);
  if (options.planted !== null) return (await runPlanted(options.planted, say)) === 0 ? 0 : 1;
  const { seed, minutes, rate, online, faults, keep } = options;
  const durationMs = minutes * 60_000;
  say(`seed ${seed}, ${minutes} minutes, ${rate} records/s, ${online} customers online`);
  for (const { atMs, fault } of schedule(seed, durationMs, faults))
    say(`${(atMs / 1_000).toFixed(1).padStart(6)} s  ${describeFault(fault)}`);
  if (options.dryRun) return 0;
  say("");
  const report = await runChaos({ seed, durationMs, rate, online, faults, keep, say });
  for (const line of linesOf(report)) say(line);
  return report.violations.length === 0 ? 0 : 1;
}
