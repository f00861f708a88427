import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { StackError } from "../errors.ts";
import type { Guard } from "./guard.ts";
import { waitUntil } from "../wait.ts";
import { writePidFile } from "./pid-file.ts";

const tailBytes = 8_192;
/** pino's number for the level error. */
const errorLevel = 50;

export interface ChildSpec {
  /** How it is called in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
  readonly logFile: string;
  readonly pidFile: string;
  /** The signal of an orderly stop. */
  readonly stopSignal: "INT" | "TERM";
  /** Ends it when this process is killed. */
  readonly guard: Guard;
  /** Called with one sentence when it ends without having been asked to, once it was ready. */
  readonly onCrash: (error: StackError) => void;
}

/** A program that runs beside us: its log in a file, its id noted, its unexpected end reported in one sentence. */
export class Child {
  readonly name: string;
  readonly pid: number;
  readonly #spec: ChildSpec;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #abort = new AbortController();
  #exit: string | null = null;
  #stopping = false;
  #ready = false;

  private constructor(spec: ChildSpec, child: ChildProcess, pid: number) {
    this.name = spec.name;
    this.pid = pid;
    this.#spec = spec;
    this.#process = child;
    this.#ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.#exit = signal === null ? `exit code ${code}` : `signal ${signal}`;
        this.#abort.abort();
        spec.guard.forget(pid);
        resolve();
        if (this.#ready && !this.#stopping) void this.#crashed().then(spec.onCrash);
      });
    });
  }

  /** Throws `child_crashed` when the program cannot be started at all. */
  static async start(spec: ChildSpec): Promise<Child> {
    const log = openSync(spec.logFile, "w");
    try {
      const child = spawn(spec.command, spec.args, {
        cwd: spec.cwd,
        env: spec.env,
        stdio: ["ignore", log, log],
        // A group of its own: Ctrl-C in the terminal must reach us alone, so that we can stop all in order.
        detached: true,
        ...(spec.uid === undefined ? {} : { uid: spec.uid }),
        ...(spec.gid === undefined ? {} : { gid: spec.gid }),
      });
      await new Promise<void>((resolve, reject) => {
        child.once("spawn", resolve);
        child.once("error", (cause) =>
          reject(new StackError("child_crashed", `${spec.name} could not be started: ${cause.message}.`, { cause })),
        );
      });
      const { pid } = child;
      if (pid === undefined) throw new StackError("child_crashed", `${spec.name} could not be started.`);
      spec.guard.watch(pid, spec.stopSignal);
      const started = new Child(spec, child, pid);
      await writePidFile(spec.pidFile, pid);
      return started;
    } finally {
      closeSync(log);
    }
  }

  get hasEnded(): boolean {
    return this.#exit !== null;
  }

  /** Waits for a condition; throws `child_crashed` as soon as the process ends and `not_ready` after the time. */
  async ready(condition: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    const isReady = await waitUntil(condition, timeoutMs, this.#abort.signal);
    if (this.#exit !== null) throw await this.#crashed();
    if (!isReady)
      throw new StackError("not_ready", `${this.name} was not ready within ${timeoutMs / 1_000} s; its log is ${this.#spec.logFile}.`);
    this.#ready = true;
  }

  /** Stops in order, by SIGKILL after `deadlineMs`. May be called more than once. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    if (this.#exit === null) {
      this.#process.kill(`SIG${this.#spec.stopSignal}`);
      const timer = setTimeout(() => this.#process.kill("SIGKILL"), deadlineMs);
      await this.#ended;
      clearTimeout(timer);
    }
    await rm(this.#spec.pidFile, { force: true });
  }

  async #crashed(): Promise<StackError> {
    // A signal came from outside, and the log's last lines have nothing to do with it.
    const line = this.#exit?.startsWith("signal") === true ? null : lastTelling(await tail(this.#spec.logFile));
    return new StackError(
      "child_crashed",
      `${this.name} ended by itself (${this.#exit})${line === null ? "" : `: ${line}`}; its log is ${this.#spec.logFile}.`,
    );
  }
}

async function tail(file: string): Promise<string> {
  try {
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(tailBytes), 0, tailBytes, Math.max(0, size - tailBytes));
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch {
    return "";
  }
}

/** The line of a log that most likely names the cause: the last that speaks of an error, else the last one. */
export function lastTelling(log: string): string | null {
  const lines = log
    .split("\n")
    .map((line) => plainLine(line.trim()))
    .filter((line) => line !== "" && !line.startsWith("at "));
  const telling = lines.findLast((line) => /FATAL|PANIC|ERROR|Exception|Error:/.test(line)) ?? lines.at(-1);
  return telling === undefined ? null : telling.replace(/[.;:]+$/, "").slice(0, 300);
}

// The services log JSON: what people want of it is the message and the error's own.
function plainLine(line: string): string {
  if (!line.startsWith("{")) return line;
  try {
    const record: { level?: number; msg?: string; err?: { message?: string } } = JSON.parse(line);
    const text = [record.msg, record.err?.message].filter((part) => part !== undefined).join(": ");
    return (record.level ?? 0) >= errorLevel ? `Error: ${text}` : text;
  } catch {
    return line;
  }
}
