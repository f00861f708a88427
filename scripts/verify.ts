// npm run verify: recomputes everything from the stored orders and commands, and prints what differs from what is stored (docs/verify.md).
import { setFlagsFromString } from "node:v8";
import { connectRegistry, RegistryError } from "@perkstream/contracts";
import { EnvironmentError } from "@perkstream/service";
import { openProgressLine } from "./produce/progress-line.ts";
import { verifyAddresses } from "./verify/addresses.ts";
import { parseVerifyOptions, usage, type VerifyOptions, VerifyOptionError } from "./verify/options.ts";
import { jsonOf, lineOf, PrintedReport } from "./verify/print.ts";
import { runVerify, UnknownMerchantError } from "./verify/run.ts";

// Most of what is read lives shortly: collect it early, rather than let the heap grow to several times of what is held.
setFlagsFromString("--heap-growing-percent=25");

const line = openProgressLine(process.stderr);

try {
  process.exitCode = await main(parseVerifyOptions(process.argv.slice(2)));
} catch (error) {
  line.end();
  if (error instanceof VerifyOptionError) console.error(`${error.message}\n\n${usage}`);
  else console.error(explain(error));
  process.exitCode = error instanceof VerifyOptionError ? 2 : 3;
}

/** 0: everything is as it must be; 1: something differs. */
async function main(options: VerifyOptions): Promise<number> {
  const { databaseUrl, registryUrl } = verifyAddresses(process.env);
  const report = new PrintedReport(options.programs, options.limit, (difference) => {
    line.clear();
    console.log(options.json ? jsonOf(difference) : lineOf(difference));
  });
  const startedAt = performance.now();
  await runVerify({
    databaseUrl,
    registry: connectRegistry(registryUrl),
    merchantId: options.merchantId,
    report,
    onProgress: ({ done, total, phase }) => line.show(phase === "customers" ? customersText(done, total, startedAt, report) : phase),
  });
  line.end();
  const seconds = (performance.now() - startedAt) / 1_000;
  summarise(options, report, seconds);
  return report.differences === 0 ? 0 : 1;
}

function customersText(done: number, total: number, startedAt: number, report: PrintedReport): string {
  const seconds = Math.max(0.001, (performance.now() - startedAt) / 1_000);
  const orders = report.counts.get("tier orders") ?? 0;
  const left = done === 0 ? 0 : Math.max(0, Math.round((seconds * (total - done)) / done));
  return `verified ${done} of about ${total} customers, ${Math.round(orders / seconds)} orders/s, ${left} s left, ${report.differences} differences`;
}

function summarise({ json, limit }: VerifyOptions, report: PrintedReport, seconds: number): void {
  const checked = Object.fromEntries([...report.counts].filter(([, count]) => count > 0));
  if (json) {
    console.log(
      jsonOf({
        summary: { differences: report.differences, kinds: Object.fromEntries(report.kinds), checked, seconds: Number(seconds.toFixed(1)) },
      }),
    );
    return;
  }
  for (const [kind, count] of report.kinds) if (count > limit) console.log(`… ${count - limit} more: ${kind}`);
  const counts = Object.entries(checked).map(([what, count]) => `${count} ${what}`);
  console.log(
    `${report.differences === 0 ? "No differences" : `${report.differences} differences`} in ${seconds.toFixed(1)} s; checked ${counts.join(", ")}.`,
  );
}

function explain(error: unknown): string {
  if (error instanceof EnvironmentError || error instanceof RegistryError || error instanceof UnknownMerchantError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
