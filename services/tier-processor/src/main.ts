import { connectRegistry, openNotificationEncoder, openOrderDecoder, topics } from "@perkstream/contracts";
import { migrations as merchant } from "@perkstream/merchant";
import { runProgram } from "@perkstream/program";
import { createTierProgram, migrations as tier } from "@perkstream/tier";

await runProgram({
  name: "tier-processor",
  port: { variable: "TIER_PORT", fallback: 8082 },
  migrations: [merchant, tier],
  role: "perkstream_tier",
  topic: topics.orders,
  noticeTopic: topics.notifications,
  create: async ({ env, partitions }) => {
    const registry = connectRegistry(env.SCHEMA_REGISTRY_URL);
    return createTierProgram({
      decoder: openOrderDecoder(registry),
      encoder: await openNotificationEncoder(registry),
      partitions,
    });
  },
});
