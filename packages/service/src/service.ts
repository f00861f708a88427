import { pino, type Logger } from "pino";
import { Registry, collectDefaultMetrics } from "prom-client";
import type { z } from "zod";
import { parseEnvironment, EnvironmentError } from "./environment.ts";

export interface ServiceContext<E> {
  readonly env: E;
  readonly log: Logger;
  readonly metrics: Registry;
  /** Steps run in reverse order of registration, one after the other, all under one deadline. */
  onStop(step: string, run: () => Promise<void> | void): void;
  /** Ends the service with exit code 1 after its stop steps: for defects that a restart may mend. */
  fail(error: Error): void;
}

export interface ServiceDefinition<S extends z.ZodObject> {
  readonly name: string;
  readonly environment: S;
  /** Bound of all stop steps together. Default 20 s. */
  readonly stopDeadlineMs?: number;
  readonly start: (context: ServiceContext<z.infer<S>>) => Promise<void>;
}

/**
 * Runs one service as the process: environment, logger, start, and a stop in order on SIGTERM or SIGINT.
 * A second signal ends at once. The exit code is 0 after a clean stop, 1 otherwise.
 *
 *   start ──ok──► running ──signal──► stopping ──steps done──► exit 0
 *     │              │ fail()             │ deadline, second signal
 *     └──error───────┴───────────────────►└──► exit 1
 */
export async function runService<S extends z.ZodObject>(definition: ServiceDefinition<S>): Promise<void> {
  const environment = readEnvironment(definition);
  const level = typeof environment["LOG_LEVEL"] === "string" ? environment["LOG_LEVEL"] : "info";
  const log = pino({ name: definition.name, level, base: { service: definition.name } });
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics, labels: { service: definition.name } });

  const steps: { step: string; run: () => Promise<void> | void }[] = [];
  let stopping = false;
  const stop = (exitCode: number, reason: string) => {
    if (stopping) {
      log.warn({ reason }, "stopping at once");
      process.exit(1);
    }
    stopping = true;
    log.info({ reason }, "stopping");
    void stopInOrder(steps, definition.stopDeadlineMs ?? 20_000, log).then((clean) => process.exit(clean ? exitCode : 1));
  };
  process.on("SIGTERM", () => stop(0, "SIGTERM"));
  process.on("SIGINT", () => stop(0, "SIGINT"));
  const fail = (error: Error) => {
    log.fatal({ err: error }, "service failed");
    if (!stopping) stop(1, "failure");
  };
  process.on("unhandledRejection", (reason) => fail(reason instanceof Error ? reason : new Error(String(reason))));
  process.on("uncaughtException", fail);

  try {
    const context = {
      env: environment,
      log,
      metrics,
      fail,
      onStop: (step: string, run: () => Promise<void> | void) => void steps.push({ step, run }),
    };
    await definition.start(context);
    log.info("running");
  } catch (error) {
    fail(error instanceof Error ? error : new Error(String(error)));
  }
}

function readEnvironment<S extends z.ZodObject>(definition: ServiceDefinition<S>): z.infer<S> {
  try {
    return parseEnvironment(definition.environment, process.env);
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    process.stderr.write(`${definition.name}: ${error.message}\n`);
    return process.exit(1);
  }
}

async function stopInOrder(steps: { step: string; run: () => Promise<void> | void }[], deadlineMs: number, log: Logger): Promise<boolean> {
  let clean = true;
  const deadline = new Promise<"deadline">((resolve) => setTimeout(() => resolve("deadline"), deadlineMs).unref());
  for (const { step, run } of steps.toReversed()) {
    const outcome = await Promise.race([attempt(run), deadline]);
    if (outcome === "deadline") {
      log.error({ step, deadlineMs }, "stop deadline passed");
      return false;
    }
    if (outcome instanceof Error) {
      log.error({ step, err: outcome }, "stop step failed");
      clean = false;
    }
  }
  log.info("stopped");
  return clean;
}

async function attempt(run: () => Promise<void> | void): Promise<"done" | Error> {
  try {
    await run();
    return "done";
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
