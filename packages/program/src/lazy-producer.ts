import type { Kafka, Producer, ProducerConfig, ProducerRecord } from "kafkajs";
import { kafkajs } from "./kafkajs.ts";

/** A producer that connects when it is first needed, and is made anew after `close`. One caller at a time. */
export class LazyProducer {
  readonly #kafka: Kafka;
  readonly #config: ProducerConfig;
  #producer: Producer | undefined;
  /** Where records of the send under way belong. */
  readonly #wanted = new Set<number>();

  constructor(kafka: Kafka, config: ProducerConfig = {}) {
    this.#kafka = kafka;
    this.#config = {
      allowAutoTopicCreation: false,
      createPartitioner: () => {
        const partitionOf = kafkajs.Partitioners.DefaultPartitioner();
        return (args) => {
          const partition = partitionOf(args);
          this.#wanted.add(partition);
          return partition;
        };
      },
      retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 500 },
      ...config,
    };
  }

  /**
   * Resolves when all replicas in sync have the records. Rejects after its retries; then none, some or all may be there.
   *
   * When a partition's leader moves to a broker that has answered for others already, kafkajs resolves without having sent its
   * records: only what was answered for counts.
   */
  async send(record: Pick<ProducerRecord, "topic" | "messages">): Promise<void> {
    this.#producer ??= await this.#connect();
    this.#wanted.clear();
    const answers = await this.#producer.send({ ...record, acks: -1 });
    for (const { partition } of answers) this.#wanted.delete(partition);
    if (this.#wanted.size > 0)
      throw new kafkajs.KafkaJSError(`no broker has answered for partitions ${[...this.#wanted].join(", ")} of ${record.topic}`, {
        retriable: true,
      });
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.disconnect().catch(() => {});
  }

  async #connect(): Promise<Producer> {
    const producer = this.#kafka.producer(this.#config);
    await producer.connect();
    return producer;
  }
}
