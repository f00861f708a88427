/**
 * kafkajs, loaded when it is needed: the program host mends it (packages/program/src/kafkajs.ts), and for that must be the first to
 * load it, whatever else a process imports before.
 */
export async function loadKafkajs(): Promise<typeof import("kafkajs")> {
  const loaded = await import("kafkajs");
  return loaded.default;
}
