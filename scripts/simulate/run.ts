import type { OrderEncoder } from "@perkstream/contracts";
import type { OrderProducer, OutgoingRecord, Position } from "../produce/order-producer.ts";
import { damaged } from "./broken.ts";
import type { OrderStream, StreamKind } from "./order-stream.ts";

/** How often records are sent: at 200 a second ten at a time. */
const tickMs = 50;
/** A producer that fell behind catches up in steps. */
const maxBatch = 2_000;

export interface SimulationSummary {
  readonly sent: number;
  readonly acked: number;
  readonly kinds: Readonly<Record<StreamKind, number>>;
  readonly durationMs: number;
  readonly positions: readonly Position[];
}

export interface SimulationRun {
  readonly stream: OrderStream;
  readonly encoder: OrderEncoder;
  readonly producer: OrderProducer;
  /** Records a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Ends the run after what is under way. */
  readonly signal: AbortSignal;
  onProgress(progress: Omit<SimulationSummary, "positions">): void;
}

/** Sends at the given rate until the time is over. Rejects when the brokers cannot be reached. */
export async function runSimulation(run: SimulationRun): Promise<SimulationSummary> {
  const kinds: Record<StreamKind, number> = { order: 0, refund: 0, cancellation: 0, duplicate: 0, late: 0, broken: 0 };
  const total = Math.round(run.rate * run.seconds);
  const startedAt = performance.now();
  const elapsedMs = () => performance.now() - startedAt;
  let sent = 0;
  let acked = 0;
  while (sent < total && !run.signal.aborted) {
    const due = Math.min(total, Math.ceil((elapsedMs() / 1000) * run.rate));
    const records: OutgoingRecord[] = [];
    for (; sent < due && records.length < maxBatch; sent += 1) {
      const timestamp = Date.now();
      const { kind, key, event, damage } = run.stream.next(timestamp);
      kinds[kind] += 1;
      records.push({ key, value: damaged(run.encoder.encode(event), damage), timestamp });
    }
    if (records.length > 0) {
      await run.producer.send(records);
      acked += records.length;
    }
    run.onProgress({ sent, acked, kinds, durationMs: elapsedMs() });
    if (records.length < maxBatch) await pause(tickMs, run.signal);
  }
  return { sent, acked, kinds, durationMs: elapsedMs(), positions: run.producer.positions() };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
