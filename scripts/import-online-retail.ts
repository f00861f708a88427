// npm run import: the Online Retail file (or any file of its columns) as orders and refunds into orders.v1.
import { connectRegistry, openOrderEncoder, topics } from "@perkstream/contracts";
import { createRetailMerchant, MerchantApiError } from "./import/new-merchant.ts";
import { type ImportOptions, ImportOptionError, parseImportOptions, usage } from "./import/options.ts";
import { RetailImport, type RetailEvents } from "./import/retail-events.ts";
import { readRows, RetailFileError } from "./import/rows.ts";
import { sendEvents } from "./import/send.ts";
import { producingEnvironment } from "./produce/environment.ts";
import { explain } from "./produce/fail.ts";
import { openOrderProducer } from "./produce/order-producer.ts";
import { openProgressLine } from "./produce/progress-line.ts";

const progressRows = 5_000;
const line = openProgressLine(process.stderr);

try {
  await main(parseImportOptions(process.argv.slice(2)));
} catch (error) {
  line.end();
  if (error instanceof ImportOptionError) console.error(`${error.message}\n\n${usage}`);
  else if (error instanceof RetailFileError || error instanceof MerchantApiError) console.error(error.message);
  else console.error(explain(error));
  process.exitCode = error instanceof ImportOptionError ? 2 : 1;
}

async function main(options: ImportOptions): Promise<void> {
  const { registryUrl, connectKafka } = producingEnvironment(process.env);
  const encoder = await openOrderEncoder(connectRegistry(registryUrl));
  // The rows are read before a merchant is made, so that a bad file leaves nothing behind.
  const events = await readEvents(options);
  const merchantId = options.merchantId ?? (await newMerchant(options));
  const owned = events.map((event) => ({ ...event, merchantId }));
  const producer = await openOrderProducer(connectKafka("perkstream-import"), topics.orders);
  const startedAt = performance.now();
  try {
    await sendEvents(owned, {
      encoder,
      producer,
      shiftMs: options.shiftToNow ? Date.now() - (events.at(-1)?.occurredAt ?? 0) : 0,
      speed: options.speed,
      onProgress: (acked) => line.show(`sent ${acked} of ${events.length} events, ${rate(acked, startedAt)}/s`),
    });
    line.end();
    const refunds = events.filter(({ type }) => type === "OrderRefunded").length;
    console.log(
      JSON.stringify({ merchantId, events: events.length, orders: events.length - refunds, refunds, positions: producer.positions() }),
    );
  } finally {
    await producer.close();
  }
}

async function readEvents({ file }: ImportOptions): Promise<RetailEvents["events"]> {
  const retail = new RetailImport("");
  const startedAt = performance.now();
  let rows = 0;
  for await (const row of readRows(file)) {
    retail.add(row);
    rows += 1;
    if (rows % progressRows === 0) line.show(`read ${rows} rows, ${rate(rows, startedAt)}/s`);
  }
  const { events, orders, refunds, customers, skipped } = retail.events();
  line.show(`read ${rows} rows: ${orders} orders and ${refunds} refunds of ${customers} customers; skipped ${JSON.stringify(skipped)}`);
  line.end();
  return events;
}

async function newMerchant({ shiftToNow }: ImportOptions): Promise<string> {
  const api = process.env["MERCHANT_API_URL"] ?? `http://127.0.0.1:${process.env["MERCHANT_API_PORT"] ?? "8080"}`;
  const bootstrapKey = process.env["PERKS_BOOTSTRAP_KEY"] ?? "development";
  const { merchantId, apiKey } = await createRetailMerchant(api, bootstrapKey, shiftToNow ? "real" : "manual");
  console.error(`made merchant ${merchantId}; its owner's API key, shown this once: ${apiKey}`);
  return merchantId;
}

function rate(count: number, startedAt: number): number {
  return Math.round(count / Math.max(0.001, (performance.now() - startedAt) / 1000));
}
