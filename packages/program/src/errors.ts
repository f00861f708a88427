import { RemedyError } from "./remedy.ts";

/**
 * What went wrong in a transaction of a program, and what helps:
 *
 *  fence    another owner has the partition: drop what is cached and read the stored progress
 *  repeat   lost against a concurrent transaction (23505, 40P01, 40001), or remedied (remedy.ts): the same again from its load
 *  data     a value that no column can hold (SQLSTATE class 22): find the event, it becomes a dead letter
 *  outage   database or broker away, slow or out of resources: wait and try again, for ever
 *  defect   a bug: stop the partition with the event named
 */
export type FailureKind = "fence" | "repeat" | "data" | "outage" | "defect";

/** The stored progress is not what this owner left there: somebody else has the partition. */
export class FenceLostError extends Error {
  readonly partitions: readonly number[];

  constructor(partitions: readonly number[]) {
    super(`fence lost for partitions ${partitions.join(", ")}`);
    this.name = "FenceLostError";
    this.partitions = partitions;
  }
}

/** `decide` threw: a bug of the program, met at this record. */
export class DefectError extends Error {
  readonly partition: number;
  readonly offset: number;

  constructor(partition: number, offset: number, cause: unknown) {
    super(`decide failed at ${partition}:${offset}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "DefectError";
    this.partition = partition;
    this.offset = offset;
  }
}

const REPEATABLE = new Set(["23505", "40P01", "40001"]);
// Connection exceptions, insufficient resources, operator intervention, lock timeout, ended idle or long transaction, read-only standby.
const OUTAGE_STATES = /^(08|53|57|55P03|25P03|25P04|25006|58)/;
const OUTAGE_CODES = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);

/** Sorts an error of a transaction; what is not known is a defect. */
export function classify(error: unknown): FailureKind {
  if (error instanceof FenceLostError) return "fence";
  if (error instanceof DefectError) return "defect";
  if (error instanceof RemedyError) return "repeat";
  if (!(error instanceof Error)) return "defect";
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (REPEATABLE.has(code)) return "repeat";
  if (code.startsWith("22")) return "data";
  if (OUTAGE_STATES.test(code) || OUTAGE_CODES.has(code)) return "outage";
  if (error.name.startsWith("KafkaJS") || error.name === "OutageError") return "outage";
  // A plain Error of kafkajs: the connection was lost before the request was written.
  if (error.message === "Broker not connected") return "outage";
  // Of whatever else a program asks (the schema registry), and which says itself that asking again helps.
  if ("retryable" in error && error.retryable === true) return "outage";
  if (error instanceof AggregateError) return error.errors.length > 0 ? classify(error.errors[0]) : "outage";
  return "defect";
}

/** Full jitter: a random wait below min(cap, base · 2^attempt) ms, never below a tenth of it. */
export function backoffMs(attempt: number, baseMs = 50, capMs = 2_000): number {
  const bound = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 16));
  return Math.max(bound / 10, Math.random() * bound);
}
