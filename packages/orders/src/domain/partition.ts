/**
 * Kafka's murmur2 of a key (org.apache.kafka.common.utils.Utils.murmur2 with its fixed seed), made positive: the hash by
 * which the Java client's default partitioner and its ports choose.
 */
export function keyHash(key: Uint8Array): number {
  const length = key.length;
  let hash = 0x9747b28c ^ length;
  const whole = length - (length % 4);
  for (let at = 0; at < whole; at += 4) {
    const word = key[at]! | (key[at + 1]! << 8) | (key[at + 2]! << 16) | (key[at + 3]! << 24);
    const mixed = Math.imul(word, MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(mixed ^ (mixed >>> 24), MULTIPLIER);
  }
  if (length % 4 === 3) hash ^= key[whole + 2]! << 16;
  if (length % 4 >= 2) hash ^= key[whole + 1]! << 8;
  if (length % 4 >= 1) hash = Math.imul(hash ^ key[whole]!, MULTIPLIER);
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return (hash ^ (hash >>> 15)) & 0x7fffffff;
}

const MULTIPLIER = 0x5bd1e995;

/** The partition that a key belongs in, of so many. */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return keyHash(key) % partitions;
}
