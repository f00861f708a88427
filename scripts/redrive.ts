// npm run redrive: reads dead letters once more through the merchant API, when their cause is mended.
import { explain } from "./produce/fail.ts";
import { openProgressLine } from "./produce/progress-line.ts";
import { ApiError, openDeadLetters, signIn } from "./redrive/api.ts";
import { parseRedriveOptions, RedriveOptionError, usage } from "./redrive/options.ts";
import { type DeadEvent, findEvents, redriveAll } from "./redrive/run.ts";

try {
  await main();
} catch (error) {
  if (error instanceof RedriveOptionError) console.error(`${error.message}\n\n${usage}`);
  else if (error instanceof ApiError) console.error(error.message);
  else console.error(explain(error));
  process.exitCode = error instanceof RedriveOptionError ? 2 : 1;
}

async function main(): Promise<void> {
  const options = parseRedriveOptions(process.argv.slice(2));
  const { env } = process;
  const api = (options.api ?? env["MERCHANT_API_URL"] ?? `http://127.0.0.1:${env["MERCHANT_API_PORT"] ?? "8080"}`).replace(/\/+$/, "");
  const ofNobody = options.merchant === "none";
  const key = ofNobody ? (env["PERKS_BOOTSTRAP_KEY"] ?? "development") : env["PERKS_API_KEY"];
  const headers = key === undefined ? await signIn(api, options.merchant) : { "x-api-key": key };
  const letters = openDeadLetters({ api, headers, ofNobody });

  const events = options.ids.length > 0 ? [] : await findEvents(letters, options);
  const found = events.length + options.ids.length;
  if (options.isDryRun) {
    for (const event of events) console.log(describe(event));
    for (const id of options.ids) console.log(id);
    console.log(JSON.stringify({ found, redriven: 0, failedAgain: 0 }));
    return;
  }
  const lanes = [...Map.groupBy(events, ({ partition }) => partition).values()].map((lane) => lane.map(({ id }) => id));
  const line = openProgressLine(process.stderr);
  try {
    const result = await redriveAll(letters, [...lanes, options.ids], (done) => line.show(`${done} of ${found} events read once more`));
    line.end();
    console.log(JSON.stringify({ found, ...result }));
  } finally {
    line.end();
  }
}

function describe({ partition, offset, reasons, id }: DeadEvent): string {
  return `orders.v1 ${partition}:${offset} ${reasons.join(", ")} ${id}`;
}
