import { readFile, rm, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSql, type Sql } from "@perkstream/postgres";
import { freePorts, startStack, type Stack, type StackOptions } from "@perkstream/stack";
import { prepare } from "../start/prepare.ts";
import { startServices, type RunningServices } from "../start/run-services.ts";
import { services } from "../start/services.ts";
import { readSettings, type StartSettings } from "../start/settings.ts";

/** A stack of its own in a temporary folder, durable as in production (fsync and synchronous_commit on). */
export interface Bed {
  readonly stack: Stack;
  readonly settings: StartSettings;
  readonly sql: Sql;
  /** Starts services by name; resolves when they are ready. `env` is added to theirs; `onCrash` hears of one that ends by itself. */
  start(names: readonly string[], env?: Readonly<Record<string, string>>, onCrash?: (message: string) => void): Promise<RunningServices>;
  /** Process ids of the stack's servers and the services that run, by name. */
  pids(): Promise<Map<string, number>>;
  urlOf(service: string): string;
  close(): Promise<void>;
}

const SERVER_PIDS = ["postgres", "kafka", "registry"];

export async function openBed(
  say: (line: string) => void,
  openStack: (options: StackOptions) => Promise<Stack> = startStack,
): Promise<Bed> {
  const dataDir = await mkdtemp(join(tmpdir(), "perkstream-bench-"));
  const free = await freePorts(3 + services.length);
  const ports = Object.fromEntries(services.map(({ port }, i) => [port.variable, String(free[3 + i])]));
  const env = { ...process.env, ...ports, PERKS_DATA_DIR: dataDir, LOG_LEVEL: "warn", PERKS_MODE: "development" };
  const settings = await readSettings(env, services);
  const stack = await openStack({
    dataDir,
    env,
    ports: { postgres: free[0]!, kafka: free[1]!, registry: free[2]! },
    onProgress: ({ part, text }) => say(`${part}: ${text}`),
  });
  const sql = openSql(stack.postgresUrl, { max: 2, applicationName: "perkstream-bench" });
  const running: { names: readonly string[]; services: RunningServices }[] = [];
  const bed: Bed = {
    stack,
    settings,
    sql,
    async start(names, added = {}, onCrash = say) {
      const chosen = services.filter(({ name }) => names.includes(name));
      const settingsOfRun = { ...settings, env: { ...settings.env, ...added } };
      const started = await startServices(chosen, settingsOfRun, stack, { onReady: () => {}, onCrash: (error) => onCrash(error.message) });
      const entry = { names, services: started };
      running.push(entry);
      return {
        stop: async () => {
          running.splice(running.indexOf(entry), 1);
          await started.stop();
        },
      };
    },
    async pids() {
      const found = new Map<string, number>();
      for (const name of [...SERVER_PIDS, ...running.flatMap(({ names }) => names)]) {
        const pid = await pidOf(dataDir, name);
        if (pid !== undefined) found.set(name, pid);
      }
      return found;
    },
    urlOf(service) {
      return `http://127.0.0.1:${settings.ports.get(service)}`;
    },
    async close() {
      for (const { services: started } of running.splice(0).toReversed()) await started.stop();
      await sql.end({ timeout: 2 });
      await stack.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  try {
    await prepare(services, settings, stack, say);
    return bed;
  } catch (error) {
    await bed.close();
    throw error;
  }
}

async function pidOf(dataDir: string, name: string): Promise<number | undefined> {
  const text = await readFile(join(dataDir, "run", `${name}.pid`), "utf8").catch(() => "");
  return text === "" ? undefined : (JSON.parse(text) as { pid: number }).pid;
}
