import { setTimeout as sleep } from "node:timers/promises";
import { treeOf } from "./processes.ts";

/** How long starts may fail one after the other before the run is given up. */
const upLimitMs = 600_000;
const retryMs = 500;

/** A process that can be started. */
export interface Startable {
  readonly name: string;
  /** Resolves when it is ready. Rejects when it ended before, or was not ready in time. */
  start(): Promise<void>;
  /** In order; killed after its deadline. */
  stop(): Promise<void>;
  /** While it runs. */
  pid(): number | undefined;
}

/**
 * A process that faults hit, one after the other, and its supervisor: it is started again when it ends by itself, and when a start
 * fails (its database may be away).
 */
export class Target {
  readonly name: string;
  readonly #process: Startable;
  readonly #onEnd: (message: string) => void;
  #expected = true;
  #busy: Promise<void> = Promise.resolve();
  failedStarts = 0;

  constructor(process: Startable, onEnd: (message: string) => void) {
    this.name = process.name;
    this.#process = process;
    this.#onEnd = onEnd;
  }

  pid(): number | undefined {
    return this.#process.pid();
  }

  /** Runs when no other fault has this process. */
  exclusively(run: () => Promise<void>): Promise<void> {
    const turn = this.#busy.then(run);
    this.#busy = turn.catch(() => {});
    return turn;
  }

  /** Its end is no surprise until it is up again. */
  expectEnd(): void {
    this.#expected = true;
  }

  /** To be called when the process has ended without having been asked to. */
  ended(message: string): void {
    if (this.#expected) return;
    this.#onEnd(message);
    void this.exclusively(() => this.up()).catch(() => {});
  }

  /** Starts it unless it runs; from then on its end is a surprise. */
  async up(): Promise<void> {
    const deadline = performance.now() + upLimitMs;
    while (this.pid() === undefined) {
      try {
        await this.#process.start();
      } catch (error) {
        this.failedStarts += 1;
        if (performance.now() > deadline) throw error;
        await sleep(retryMs);
      }
    }
    this.#expected = false;
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }

  signal(signal: "SIGKILL" | "SIGSTOP" | "SIGCONT" | "SIGUSR2"): void {
    const pid = this.pid();
    if (pid === undefined) return;
    for (const one of signal === "SIGKILL" || signal === "SIGUSR2" ? [pid] : treeOf(pid)) {
      try {
        process.kill(one, signal);
      } catch {
        // Ended in between.
      }
    }
  }
}
