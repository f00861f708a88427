// npm run simulate: a shop's orders with refunds, repeats, late and broken records, sent to orders.v1 at a steady rate.
import { connectRegistry, openOrderEncoder, topics } from "@perkstream/contracts";
import { producingEnvironment } from "./produce/environment.ts";
import { explain } from "./produce/fail.ts";
import { openOrderProducer } from "./produce/order-producer.ts";
import { openProgressLine } from "./produce/progress-line.ts";
import { OptionError, parseOptions, usage } from "./simulate/options.ts";
import { orderStream } from "./simulate/order-stream.ts";
import { runSimulation } from "./simulate/run.ts";

try {
  await main();
} catch (error) {
  if (error instanceof OptionError) console.error(`${error.message}\n\n${usage}`);
  else console.error(explain(error));
  process.exitCode = error instanceof OptionError ? 2 : 1;
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  const { registryUrl, connectKafka } = producingEnvironment(process.env);
  const encoder = await openOrderEncoder(connectRegistry(registryUrl));
  const producer = await openOrderProducer(connectKafka("perkstream-simulate"), topics.orders);
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  const line = openProgressLine(process.stderr);
  const { rate, seconds, seed, merchantId, currency, run, ...shares } = options;
  const stream = orderStream({ seed, run: run ?? Date.now().toString(36), merchants: [{ merchantId, currency }], ...shares });
  try {
    const { kinds, sent, acked, durationMs, positions } = await runSimulation({
      stream,
      encoder,
      producer,
      rate,
      seconds,
      signal: stop.signal,
      onProgress: ({ sent, acked, durationMs }) => {
        const perSecond = durationMs === 0 ? 0 : acked / (durationMs / 1000);
        line.show(`${(durationMs / 1000).toFixed(0)} s of ${seconds} s: ${perSecond.toFixed(1)}/s, sent ${sent}, acked ${acked}`);
      },
    });
    line.end();
    console.log(JSON.stringify({ merchantId, seconds: durationMs / 1000, sent, acked, ...kinds, positions }));
  } finally {
    await producer.close();
  }
}
