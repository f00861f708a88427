import { createKafka, type KafkaSettings } from "@perkstream/program";
import { commonEnvironment, parseEnvironment } from "@perkstream/service";
import { portFrom, stackPorts } from "@perkstream/stack";

const loopback = "127.0.0.1";

/** Where a producing script sends to. Without settings: the local stack of `npm start`. Throws EnvironmentError. */
export function producingEnvironment(env: NodeJS.ProcessEnv) {
  const schema = commonEnvironment.pick({
    KAFKA_BROKERS: true,
    KAFKA_SSL: true,
    KAFKA_SASL_MECHANISM: true,
    KAFKA_SASL_USERNAME: true,
    KAFKA_SASL_PASSWORD: true,
    SCHEMA_REGISTRY_URL: true,
  });
  const settings = parseEnvironment(schema, {
    ...env,
    KAFKA_BROKERS: env["KAFKA_BROKERS"] ?? `${loopback}:${portFrom(stackPorts.kafka, env)}`,
    SCHEMA_REGISTRY_URL: env["SCHEMA_REGISTRY_URL"] ?? `http://${loopback}:${portFrom(stackPorts.registry, env)}/apis/ccompat/v7`,
  });
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = settings;
  const secured = mechanism !== undefined && username !== undefined && password !== undefined;
  // kafkajs types the credentials by a literal mechanism, which a value of three is not.
  const sasl = secured ? ({ mechanism, username, password } as NonNullable<KafkaSettings["sasl"]>) : undefined;
  return {
    registryUrl: settings.SCHEMA_REGISTRY_URL,
    connectKafka: (clientId: string) =>
      createKafka({ brokers: settings.KAFKA_BROKERS, clientId, ssl: settings.KAFKA_SSL, ...(sasl && { sasl }) }),
  };
}
