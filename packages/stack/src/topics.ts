import type { Admin, KafkaConfig } from "kafkajs";
import { StackError } from "./errors.ts";
import { loadKafkajs } from "./kafkajs.ts";
import { waitUntil } from "./wait.ts";

const leaderLimitMs = 30_000;
const forEver = "-1";
const anyTimestamp = "9223372036854775807";

export interface TopicOptions {
  /** Of topics that do not exist yet; an existing topic keeps its number. */
  readonly partitions: number;
  /** Allows any record timestamp and keeps every record, so that history can be played. */
  readonly development: boolean;
  /** Default: the brokers' own default. */
  readonly replicationFactor?: number;
  readonly topics?: { readonly orders: string; readonly notifications: string };
  /** Further topics, of as many partitions. */
  readonly others?: readonly string[];
  readonly ssl?: KafkaConfig["ssl"];
  readonly sasl?: KafkaConfig["sasl"];
}

/**
 * Makes the two topics where they are missing, sets what the product relies on, and checks that both have the same number of
 * partitions (a notification is published to its source's partition number). `others` are made too.
 * Returns that number; throws StackError `partitions_differ`.
 */
export async function ensureTopics(brokers: string, options: TopicOptions): Promise<{ partitions: number }> {
  const names = options.topics ?? { orders: "orders.v1", notifications: "notifications.v1" };
  const admin = await openAdmin(brokers, options);
  await admin.connect();
  try {
    const orders = await ensureTopic(admin, names.orders, options.partitions, options);
    const notifications = await ensureTopic(admin, names.notifications, orders, options);
    if (orders !== notifications) {
      throw new StackError(
        "partitions_differ",
        `Topic ${names.notifications} has ${notifications} partitions and ${names.orders} has ${orders}: both need the same number, since a notification goes to the partition of its order.`,
      );
    }
    for (const name of options.others ?? []) await ensureTopic(admin, name, orders, options);
    return { partitions: orders };
  } finally {
    await admin.disconnect();
  }
}

async function openAdmin(brokers: string, { ssl, sasl }: TopicOptions): Promise<Admin> {
  const { Kafka, logLevel } = await loadKafkajs();
  const connection = { ...(ssl === undefined ? {} : { ssl }), ...(sasl === undefined ? {} : { sasl }) };
  return new Kafka({ clientId: "perkstream-topics", brokers: brokers.split(","), logLevel: logLevel.NOTHING, ...connection }).admin();
}

async function ensureTopic(admin: Admin, topic: string, partitions: number, options: TopicOptions): Promise<number> {
  const settings = topicSettings(options.development);
  if ((await admin.listTopics()).includes(topic)) await alterSettings(admin, topic, settings);
  else
    await admin.createTopics({
      // kafkajs's own wait gives up when the broker has not heard of the new topic yet; leaders() below does not.
      waitForLeaders: false,
      topics: [{ topic, numPartitions: partitions, replicationFactor: options.replicationFactor ?? -1, configEntries: entries(settings) }],
    });
  return leaders(admin, topic);
}

// kafkajs can only replace a topic's settings as a whole, so those that somebody else made are sent along.
async function alterSettings(admin: Admin, topic: string, settings: Record<string, string>): Promise<void> {
  const { ConfigResourceTypes, ConfigSource } = await loadKafkajs();
  const answer = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }] });
  const known = answer.resources[0]?.configEntries ?? [];
  const own = known.filter((entry) => entry.configSource === ConfigSource.TOPIC_CONFIG);
  const current = Object.fromEntries(own.map((entry) => [entry.configName, entry.configValue]));
  if (Object.entries(settings).every(([name, value]) => current[name] === value)) return;
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: entries({ ...current, ...settings }) }],
  });
}

function entries(settings: Record<string, string>): { name: string; value: string }[] {
  return Object.entries(settings).map(([name, value]) => ({ name, value }));
}

/** The number of partitions, once each has a leader. */
async function leaders(admin: Admin, topic: string): Promise<number> {
  const { KafkaJSProtocolError } = await loadKafkajs();
  let count = 0;
  const isLed = await waitUntil(async () => {
    const metadata = await admin.fetchTopicMetadata({ topics: [topic] }).catch((error: unknown) => {
      if (error instanceof KafkaJSProtocolError && error.type === "UNKNOWN_TOPIC_OR_PARTITION") return { topics: [] };
      throw error;
    });
    const partitions = metadata.topics[0]?.partitions ?? [];
    count = partitions.length;
    return count > 0 && partitions.every((partition) => partition.leader >= 0);
  }, leaderLimitMs);
  if (!isLed) throw new StackError("not_ready", `Topic ${topic} has no leader for every partition after ${leaderLimitMs / 1_000} s.`);
  return count;
}

/**
 * What both topics need. Kafka would refuse records of more than an hour ahead and delete played history. However a shop's producer
 * compresses, the broker stores what every client can read: kafkajs knows neither lz4 nor snappy nor zstd.
 */
export function topicSettings(development: boolean): Record<string, string> {
  const always = { "message.timestamp.type": "CreateTime", "compression.type": "uncompressed" };
  if (!development) return always;
  return {
    ...always,
    "message.timestamp.before.max.ms": anyTimestamp,
    "message.timestamp.after.max.ms": anyTimestamp,
    "retention.ms": forEver,
  };
}
