import type { StackError } from "./errors.ts";
import type { StackPorts } from "./ports.ts";

/** A step of the start, for people: `done` steps carry how long they took. */
export interface StackProgress {
  readonly part: "PostgreSQL" | "Kafka" | "Schema registry" | "Downloads" | "Docker";
  readonly text: string;
  readonly done: boolean;
  readonly durationMs: number;
}

export interface StackOptions {
  /** Holds the servers' data, logs and process ids; made when missing. */
  readonly dataDir: string;
  /**
   * The environment that names addresses (DATABASE_URL, KAFKA_BROKERS, SCHEMA_REGISTRY_URL), ports, JAVA_HOME, PATH, PERKS_STACK
   * (embedded or docker) and PERKS_CACHE_DIR. Default: this process's own.
   */
  readonly env?: NodeJS.ProcessEnv;
  /** Ports to use instead of the environment's. */
  readonly ports?: Partial<StackPorts>;
  /** Where Kafka tells its clients to connect, and what `kafkaBrokers` says: the port of a proxy in front of it. Default: its own. */
  readonly kafkaAdvertisedPort?: number;
  /** For tests: free ports instead of the defaults, data that need not survive a power cut, containers of their own. */
  readonly ephemeral?: boolean;
  readonly onProgress?: (progress: StackProgress) => void;
  /** Called when a server that was ready ends by itself. */
  readonly onCrash?: (error: StackError) => void;
}

/** Addresses of a running stack. */
export interface Stack {
  readonly postgresUrl: string;
  /** `host:port`, several with commas between. */
  readonly kafkaBrokers: string;
  /** The base of the Confluent API, without a slash at its end. */
  readonly registryUrl: string;
  /** Stops what was started, in order: registry, Kafka, PostgreSQL; each is killed after its deadline. May be called again. */
  stop(): Promise<void>;
}
