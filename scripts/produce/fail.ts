import { RegistryError } from "@perkstream/contracts";
import { EnvironmentError } from "@perkstream/service";

/** What a producing script says when it cannot go on: a sentence for what people can mend, else the error with its stack. */
export function explain(error: unknown): string {
  if (error instanceof EnvironmentError || error instanceof RegistryError) return error.message;
  if (error instanceof Error && error.name.startsWith("KafkaJS")) return `Kafka (KAFKA_BROKERS): ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
