import type { FailureKind } from "./errors.ts";
import { Counter, Gauge, Histogram, type Registry } from "@perkstream/service";

const retryKinds: readonly (FailureKind | "publish" | "consume")[] = ["fence", "repeat", "data", "outage", "defect", "publish", "consume"];

/** The host's metrics, one set per program. */
export function hostMetrics(program: string, registry: Registry) {
  const shared = { registers: [registry], labelNames: ["program"] as const };
  const events = new Counter({ ...shared, name: "perkstream_events_total", help: "Events handled" });
  const duplicates = new Counter({ ...shared, name: "perkstream_duplicates_total", help: "Events that were there already" });
  const deadLetters = new Counter({
    registers: [registry],
    labelNames: ["program", "reason"],
    name: "perkstream_dead_letters_total",
    help: "Records that were not applied",
  });
  const chunkSize = new Histogram({
    ...shared,
    name: "perkstream_chunk_events",
    help: "Events of a chunk",
    buckets: [1, 10, 50, 100, 500, 1_000, 2_000, 4_000],
  });
  const phase = new Histogram({
    registers: [registry],
    labelNames: ["program", "phase"],
    name: "perkstream_chunk_phase_seconds",
    help: "Duration of a chunk's phases",
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
  });
  const lagEvents = new Gauge({ ...shared, name: "perkstream_lag_events", help: "Records that wait in the log" });
  const lagSeconds = new Gauge({ ...shared, name: "perkstream_lag_seconds", help: "Age of the oldest record that waits" });
  const outboxRows = new Gauge({ ...shared, name: "perkstream_outbox_rows", help: "Notifications committed and not yet in Kafka" });
  const outboxSeconds = new Gauge({
    ...shared,
    name: "perkstream_outbox_seconds",
    help: "Since when notifications wait and Kafka has acknowledged none; 0 when none waits",
  });
  const fetchAge = new Gauge({ ...shared, name: "perkstream_fetch_age_seconds", help: "Since the last fetch came back from Kafka" });
  const fenceHits = new Counter({
    ...shared,
    name: "perkstream_fence_hits_total",
    help: "Transactions given up because another owner had the partition",
  });
  const retries = new Counter({
    registers: [registry],
    labelNames: ["program", "kind"],
    name: "perkstream_retries_total",
    help: "What was begun again, by cause: transactions, and with kind publish or consume a producer or consumer",
  });
  // There with 0 from the start: an alarm on the increase of a counter does not see the first one otherwise.
  deadLetters.inc({ program, reason: "program_error" }, 0);
  for (const kind of retryKinds) retries.inc({ program, kind }, 0);
  const sweepSteps = new Counter({ ...shared, name: "perkstream_sweep_steps_total", help: "Sweep steps that changed something" });
  const sweepBacklog = new Gauge({ ...shared, name: "perkstream_sweep_backlog", help: "Partitions with more due work than one step" });
  const stopped = new Gauge({ ...shared, name: "perkstream_partitions_stopped", help: "Partitions stopped by a gap or a failing event" });
  return {
    program,
    events,
    duplicates,
    deadLetters,
    chunkSize,
    phase,
    lagEvents,
    lagSeconds,
    outboxRows,
    outboxSeconds,
    fetchAge,
    fenceHits,
    retries,
    sweepSteps,
    sweepBacklog,
    stopped,
  };
}

export type HostMetrics = ReturnType<typeof hostMetrics>;
