import { StackError } from "../errors.ts";
import { loopback } from "../ports.ts";

const images = { postgres: "postgres:18", kafka: "apache/kafka:4.1.1", registry: "apicurio/apicurio-registry:3.0.9" } as const;

/** Starts three containers for one test run and returns what removes them; testcontainers removes them too when this process is killed. */
export async function startTestContainers(ports: {
  readonly postgres: number;
  readonly kafka: number;
  readonly registry: number;
}): Promise<() => Promise<void>> {
  // Loaded here alone: it is large, and most machines never come here.
  const { GenericContainer, Network } = await import("testcontainers");
  try {
    const network = await new Network().start();
    const containers = [
      await new GenericContainer(images.postgres)
        .withNetwork(network)
        .withNetworkAliases("postgres")
        .withEnvironment({ POSTGRES_USER: "perkstream", POSTGRES_PASSWORD: "perkstream", POSTGRES_DB: "perkstream" })
        .withCommand(["postgres", "-c", "max_connections=200", "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB"])
        .withExposedPorts({ container: 5432, host: ports.postgres })
        .start(),
      // The broker names its address to clients, so the host's port must be known before the start.
      await new GenericContainer(images.kafka)
        .withEnvironment(kafkaEnvironment(ports.kafka))
        .withExposedPorts({ container: 9092, host: ports.kafka })
        .start(),
      await new GenericContainer(images.registry)
        .withNetwork(network)
        .withEnvironment({
          APICURIO_STORAGE_KIND: "sql",
          APICURIO_STORAGE_SQL_KIND: "postgresql",
          APICURIO_DATASOURCE_URL: "jdbc:postgresql://postgres:5432/postgres",
          APICURIO_DATASOURCE_USERNAME: "perkstream",
          APICURIO_DATASOURCE_PASSWORD: "perkstream",
          APICURIO_DATASOURCE_JDBC_INITIAL_SIZE: "1",
          APICURIO_DATASOURCE_JDBC_MIN_SIZE: "1",
          APICURIO_DATASOURCE_JDBC_MAX_SIZE: "8",
        })
        .withExposedPorts({ container: 8080, host: ports.registry })
        .start(),
    ];
    return async () => {
      for (const container of containers.toReversed()) await container.stop();
      await network.stop();
    };
  } catch (cause) {
    throw new StackError(
      "docker_failed",
      `Docker could not start the test containers: ${cause instanceof Error ? cause.message : String(cause)}.`,
      { cause },
    );
  }
}

function kafkaEnvironment(port: number): Record<string, string> {
  return {
    KAFKA_PROCESS_ROLES: "broker,controller",
    KAFKA_NODE_ID: "1",
    KAFKA_CONTROLLER_QUORUM_VOTERS: "1@localhost:9093",
    KAFKA_LISTENERS: "HOST://:9092,CONTROLLER://:9093",
    KAFKA_ADVERTISED_LISTENERS: `HOST://${loopback}:${port}`,
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "HOST:PLAINTEXT,CONTROLLER:PLAINTEXT",
    KAFKA_INTER_BROKER_LISTENER_NAME: "HOST",
    KAFKA_CONTROLLER_LISTENER_NAMES: "CONTROLLER",
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false",
    KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: "1",
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: "1",
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: "1",
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: "1",
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: "0",
    KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: "1000",
  };
}
