import type { FaultKind } from "./schedule.ts";

/** What a run of the fault suite came to. */
export interface ChaosReport {
  readonly seed: number;
  /** Each names what is wrong with it. */
  readonly violations: readonly string[];
  readonly faults: ReadonlyMap<FaultKind, number>;
  /** What was looked at, by what it is. */
  readonly checked: ReadonlyMap<string, number>;
  readonly peaksMb: ReadonlyMap<string, number>;
  /** The last lines of each process's log, when there are violations. */
  readonly logs: readonly string[];
}

/** Violations of one sort may be thousands: so many are printed. */
const printed = 40;

export function linesOf(report: ChaosReport): string[] {
  const { seed, violations, faults, checked, peaksMb, logs } = report;
  const list = (entries: Iterable<readonly [string, number]>) => [...entries].map(([name, count]) => `${count} ${name}`).join(", ");
  const total = [...faults.values()].reduce((sum, count) => sum + count, 0);
  return [
    ...logs,
    ...violations.slice(0, printed).map((violation) => `✗ ${violation}`),
    ...(violations.length > printed ? [`… and ${violations.length - printed} more`] : []),
    `faults: ${total}${total === 0 ? "" : ` (${list(faults)})`}`,
    `checked: ${list(checked)}`,
    `memory at most, MB: ${[...peaksMb].map(([name, mb]) => `${name} ${mb}`).join(", ")}`,
    `seed ${seed}: ${violations.length === 0 ? "nothing lost, nothing twice" : `${violations.length} violations`}`,
  ];
}
