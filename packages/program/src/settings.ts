/** The host's settings, all bounded. */
export interface HostSettings {
  /** Events of one transaction at most. */
  readonly chunkSize: number;
  /** Partitions of one process are split over so many lanes: a connection, a producer and a transaction at a time each. */
  readonly lanes: number;
  /** Records of a lane that may wait in memory before fetching pauses. */
  readonly maxBuffered: number;
  readonly maxBufferedBytes: number;
  /** Bytes of the values of one transaction at most, but for a single event that is larger. */
  readonly maxChunkBytes: number;
  /** How long a lane that has caught up waits for more records before it begins a chunk, ms. */
  readonly lingerMs: number;
  /** How often a partition is swept, ms. */
  readonly sweepIntervalMs: number;
  /** Customers of one sweep step at most. */
  readonly sweepLimit: number;
  /** How often outbox rows and requests of others are looked for without a NOTIFY, ms. */
  readonly pollIntervalMs: number;
  /** How long acknowledged rows may stay unmarked when idle, ms. */
  readonly flushAfterMs: number;
  /** How often a failing event is tried before it may be given up. */
  readonly maxAttempts: number;
  /** Whether an event that fails `maxAttempts` times becomes a dead letter `program_error`; else its partition stays stopped. */
  readonly deadLetterDefects: boolean;
  /** Go on where the log no longer holds the stored offset: what lies between is lost. */
  readonly acceptGap: boolean;
  readonly sessionTimeoutMs: number;
  /** How long a fetch waits at the broker for a first record, ms. */
  readonly fetchWaitMs: number;
  /** At the end of the log, how long to wait before the next fetch, ms. */
  readonly fetchPaceMs: number;
  /** A consumer that has not fetched for so long is replaced, ms. */
  readonly stallAfterMs: number;
}

export const defaultSettings: HostSettings = {
  chunkSize: 2_000,
  lanes: 1,
  maxBuffered: 4_000,
  maxBufferedBytes: 32 * 1024 * 1024,
  maxChunkBytes: 8 * 1024 * 1024,
  lingerMs: 2,
  sweepIntervalMs: 2_000,
  sweepLimit: 500,
  pollIntervalMs: 250,
  flushAfterMs: 80,
  maxAttempts: 5,
  deadLetterDefects: true,
  acceptGap: false,
  sessionTimeoutMs: 10_000,
  fetchWaitMs: 250,
  fetchPaceMs: 10,
  stallAfterMs: 30_000,
};
