import type { commonEnvironment } from "@perkstream/service";
import type { KafkaSettings } from "./kafkajs.ts";

type CommonEnvironment = ReturnType<(typeof commonEnvironment)["parse"]>;

/** What the common environment says about reaching Kafka. */
export function kafkaSettings(
  env: Pick<CommonEnvironment, "KAFKA_BROKERS" | "KAFKA_SSL" | "KAFKA_SASL_MECHANISM" | "KAFKA_SASL_USERNAME" | "KAFKA_SASL_PASSWORD">,
): Pick<KafkaSettings, "brokers" | "ssl" | "sasl"> {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = env;
  const base = { brokers: env.KAFKA_BROKERS, ssl: env.KAFKA_SSL };
  if (mechanism === undefined || username === undefined || password === undefined) return base;
  // kafkajs wants a literal mechanism in each case of its union.
  if (mechanism === "plain") return { ...base, sasl: { mechanism, username, password } };
  if (mechanism === "scram-sha-256") return { ...base, sasl: { mechanism, username, password } };
  return { ...base, sasl: { mechanism, username, password } };
}
