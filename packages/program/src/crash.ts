import { z } from "zod";

/**
 * Where a process can be made to end itself as by kill -9, in tests of crashes: right after each step, unless it says "before".
 *
 *  acquire              the new epoch is stored; nothing is read yet
 *  statement            before a statement goes to the database, whichever it is
 *  lock, load, decide   of a chunk
 *  save                 the program's rows are written; dead letters, counters, outbox and progress are not
 *  before-commit        all of a chunk is written
 *  commit               a chunk is stored; nothing of it is published
 *  sweep, sweep-commit  the same two of a sweep step
 *  publish              Kafka has acknowledged rows of the outbox; this process does not know yet
 *  mark                 the acknowledged rows are deleted
 *  dead-letters         Kafka has acknowledged dead letters; they are not marked as published
 *  kafka-commit         offsets are committed to Kafka, for display
 *  command              before the COMMIT of a request to the API
 *  command-commit       a request to the API is stored; it is not answered
 *  produce              Kafka has acknowledged events of a request; it is not answered
 */
export const crashSteps = [
  "acquire",
  "statement",
  "lock",
  "load",
  "decide",
  "save",
  "before-commit",
  "commit",
  "sweep",
  "sweep-commit",
  "publish",
  "mark",
  "dead-letters",
  "kafka-commit",
  "command",
  "command-commit",
  "produce",
] as const;

export type CrashStep = (typeof crashSteps)[number];

/** Told of each step that is reached. */
export type CrashPoint = (step: CrashStep) => void;

/** Reads `<step>` or `<step>:<n>`: the process ends itself when it gets to the step for the n-th time. */
export const crashPoint = z.string().transform((text, context): CrashPoint => {
  const [, name, times = "1"] = /^([a-z-]+)(?::([1-9]\d{0,5}))?$/.exec(text) ?? [];
  const at = crashSteps.find((step) => step === name);
  if (at === undefined) {
    context.addIssue({ code: "custom", message: `must be a step or <step>:<n>; steps are ${crashSteps.join(", ")}` });
    return z.NEVER;
  }
  let left = Number(times);
  return (step) => {
    if (step === at && --left <= 0) process.kill(process.pid, "SIGKILL");
  };
});

/** The variable of every service that can be ended so. A process in production refuses it. */
export const crashEnvironment = { PERKS_CRASH_AT: crashPoint.optional() };

/** What the environment asks for; undefined without it. */
export function crashPointOf(env: {
  readonly PERKS_MODE: "development" | "production";
  readonly PERKS_CRASH_AT?: CrashPoint | undefined;
}): CrashPoint | undefined {
  if (env.PERKS_CRASH_AT !== undefined && env.PERKS_MODE !== "development") throw new Error("PERKS_CRASH_AT is for development only");
  return env.PERKS_CRASH_AT;
}
