import { run } from "./run.ts";
import { simulate } from "./simulated-orders.ts";

// `npm start`: everything, with a demo shop whose customers buy.
const say = (line: string) => console.log(line);
say("Starting Perkstream …");
await run({
  say,
  onReady: async ({ addresses, settings, env }, fail) => {
    const stop = await simulate(settings, env, fail);
    say("");
    // The busiest of the simulated customers, so that pushes arrive within seconds.
    say(`  Customer page   ${addresses.customerPage}?customer=customer-1`);
    say(`  API reference   ${addresses.merchantApi}/docs`);
    say(`  Merchant API    ${addresses.merchantApi}`);
    say(`  Notifier        ${addresses.notifier}/v1/connect`);
    say(`  Metrics         ${[...settings.ports.values()].map((port) => `http://127.0.0.1:${port}/metrics`).join("  ")}`);
    say(`  Kafka           ${addresses.kafka}`);
    say(`  Schema registry ${addresses.schemaRegistry}`);
    say(`  PostgreSQL      ${addresses.postgres}`);
    say(`  Logs            ${settings.dataDir}/logs`);
    say("");
    say("Simulated orders are flowing; Ctrl-C stops all in order.");
    return stop;
  },
});
