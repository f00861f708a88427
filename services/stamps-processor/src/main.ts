import { connectRegistry, openNotificationEncoder, openOrderDecoder, topics } from "@perkstream/contracts";
import { migrations as merchant } from "@perkstream/merchant";
import { runProgram } from "@perkstream/program";
import { createStampsProgram, migrations as stamps } from "@perkstream/stamps";

await runProgram({
  name: "stamps-processor",
  port: { variable: "STAMPS_PORT", fallback: 8084 },
  migrations: [merchant, stamps],
  role: "perkstream_stamps",
  topic: topics.orders,
  noticeTopic: topics.notifications,
  create: async ({ env, partitions }) => {
    const registry = connectRegistry(env.SCHEMA_REGISTRY_URL);
    return createStampsProgram({
      decoder: openOrderDecoder(registry),
      encoder: await openNotificationEncoder(registry),
      partitions,
    });
  },
});
