import type { Kafka } from "kafkajs";

/** The number of partitions that these topics have in common. Throws when one has none or they differ: a notification lies in the partition of its order. */
export async function partitionsOf(kafka: Kafka, names: readonly string[]): Promise<number> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { topics: found } = await admin.fetchTopicMetadata({ topics: [...names] });
    const counts = names.map((name) => found.find((topic) => topic.name === name)?.partitions.length ?? 0);
    const [count = 0] = counts;
    if (count > 0 && counts.every((other) => other === count)) return count;
    const told = names.map((name, i) => `${name} has ${counts[i]} partitions`).join(", ");
    throw new Error(`${told}: they must be as many, and not 0`);
  } finally {
    await admin.disconnect();
  }
}
