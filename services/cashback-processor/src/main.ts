import { createCashbackProgram, migrations as cashback } from "@perkstream/cashback";
import { connectRegistry, openNotificationEncoder, openOrderDecoder, topics } from "@perkstream/contracts";
import { migrations as merchant } from "@perkstream/merchant";
import { runProgram } from "@perkstream/program";
import { createLevels, migrations as tier } from "@perkstream/tier";

// The one place that knows both programs: cashback reads the tier as of an offset through this port.
await runProgram({
  name: "cashback-processor",
  port: { variable: "CASHBACK_PORT", fallback: 8083 },
  migrations: [merchant, tier, cashback],
  role: "perkstream_cashback",
  topic: topics.orders,
  noticeTopic: topics.notifications,
  create: async ({ env, sql, partitions }) => {
    const registry = connectRegistry(env.SCHEMA_REGISTRY_URL);
    return createCashbackProgram({
      decoder: openOrderDecoder(registry),
      encoder: await openNotificationEncoder(registry),
      tier: createLevels(),
      sql,
      partitions,
    });
  },
});
