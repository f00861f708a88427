/** Bounds of the API, by name. */
export const limits = {
  bodyBytes: 1_048_576,
  /** Of a body that nobody wants: so much is read and forgotten to keep the connection. */
  discardedBytes: 16 * 1_048_576,
  batchOrders: 1_000,
  pageDefault: 50,
  pageMax: 200,
  idempotencyKeyChars: 255,
  cursorChars: 1_024,
  requestIdChars: 128,
  /** How long one send to Kafka may take before the answer is 503; below the database's idle timeout of 5 s. */
  produceTimeoutMs: 4_000,
  settleTimeoutSeconds: 120,
  customerTokenSeconds: { min: 5, max: 900 },
  signInTokenSeconds: 12 * 3_600,
} as const;
