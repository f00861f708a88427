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
  /** Requests that may wait for the database or Kafka at once, over all credentials; further ones are 503. */
  requestsAtOnce: 1_000,
  /** How long a request may wait for them before it is 503. */
  answerMs: 10_000,
  /** The same for edits and previews of a ladder, which go over all customers: above the database's bound of a transaction, 30 s. */
  longAnswerMs: 35_000,
  /** How long a request may take to arrive, its headers and all of it; looked at every `arrivalCheckMs`. */
  headersArriveMs: 10_000,
  requestArrivesMs: 30_000,
  arrivalCheckMs: 5_000,
  /** Longer than what clients and proxies keep connections for: whoever closes one first may meet a request on its way. */
  keepAliveMs: 75_000,
  settleTimeoutSeconds: 120,
  customerTokenSeconds: { min: 5, max: 900 },
  signInTokenSeconds: 12 * 3_600,
} as const;
