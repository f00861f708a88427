import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { StackError } from "./errors.ts";
import { freePorts, isPortOpen } from "./ports.ts";
import { startStack } from "./stack.ts";
import { ensureTopics } from "./topics.ts";
import { waitUntil } from "./wait.ts";

const startLimitMs = 120_000;
const endLimitMs = 30_000;
// Nothing of the run's own environment may name addresses here.
const plainEnv = { ...process.env, DATABASE_URL: "", KAFKA_BROKERS: "", SCHEMA_REGISTRY_URL: "", PERKS_STACK: "embedded" };
let dataDir = "";
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "perkstream-stack-"));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

function hostPort(url: string): string {
  return url.includes("//") ? new URL(url).host : url;
}

async function areAllClosed(addresses: Record<string, string>): Promise<boolean> {
  const open = await Promise.all(Object.values(addresses).map((address) => isPortOpen(hostPort(address))));
  return open.every((isOpen) => !isOpen);
}

describe("addresses of the environment", () => {
  test("are used as they are, and nothing is started or stopped", async () => {
    const { postgresUrl, kafkaBrokers, registryUrl } = inject("stack");
    const env = { DATABASE_URL: postgresUrl, KAFKA_BROKERS: kafkaBrokers, SCHEMA_REGISTRY_URL: `${registryUrl}/` };
    const { stop, ...addresses } = await startStack({ dataDir, env });
    await stop();
    expect(addresses).toEqual({ postgresUrl, kafkaBrokers, registryUrl });
    expect(await waitUntil(() => isPortOpen(kafkaBrokers), endLimitMs)).toBe(true);
  });
});

describe("what cannot work is one sentence", () => {
  test("a taken port: the server, the port and the variable", async () => {
    const [port = 0] = await freePorts(1);
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
    await expect(
      startStack({
        dataDir,
        env: { ...plainEnv, PERKS_KAFKA_PORT: String(port) },
        ports: { postgres: await one(), registry: await one() },
      }),
    ).rejects.toMatchObject({
      code: "port_taken",
      message: `Kafka cannot use port ${port}, because another program listens there: stop that program or set PERKS_KAFKA_PORT to a free port.`,
    });
    await new Promise((resolve) => other.close(resolve));
  });

  test("no Java", async () => {
    await expect(startStack({ dataDir, env: { ...plainEnv, JAVA_HOME: "/nowhere" }, ephemeral: true })).rejects.toMatchObject({
      code: "java_missing",
      retryable: false,
      message: expect.stringMatching(/need Java 17 or newer, and none was found: install one .*\.$/),
    });
  });
});

const one = async () => (await freePorts(1))[0] ?? 0;

describe("an embedded stack", { timeout: 2 * startLimitMs }, () => {
  test("keeps its data over a stop, a kill -9 of its parent and one of its servers", async () => {
    const first = await startParent();
    await writeRow(first.addresses, "kept");
    await ensureTopics(first.addresses.kafkaBrokers, { partitions: 2, development: true });
    await expectAlreadyRunning();

    first.process.kill("SIGKILL");
    expect(await waitUntil(() => areAllClosed(first.addresses), endLimitMs)).toBe(true);

    const second = await startParent();
    expect(await readRows(second.addresses)).toEqual(["kept"]);
    const kafka = await pidOf("kafka");
    process.kill(kafka, "SIGKILL");
    process.kill(await pidOf("postgres"), "SIGKILL");
    await waitUntil(() => second.errors().includes("Kafka") && second.errors().includes("PostgreSQL"), endLimitMs);
    expect(second.errors()).toContain("Kafka ended by itself (signal SIGKILL); its log is");
    expect(second.errors()).toContain("PostgreSQL ended by itself (signal SIGKILL); its log is");
    await end(second.process);
    // As after a power cut: the lock file of a server whose process id a stranger has meanwhile.
    await writeFile(join(dataDir, "postgres", "postmaster.pid"), `${process.pid}\n`);

    const third = await startParent();
    expect(await readRows(third.addresses)).toEqual(["kept"]);
    expect(await ensureTopics(third.addresses.kafkaBrokers, { partitions: 9, development: true })).toEqual({ partitions: 2 });
    await end(third.process);
    expect(await areAllClosed(third.addresses)).toBe(true);
  });

  async function expectAlreadyRunning(): Promise<void> {
    const failure = await startStack({ dataDir, env: plainEnv, ephemeral: true }).then(
      () => undefined,
      (error: StackError) => error,
    );
    expect(failure).toMatchObject({ code: "already_running", message: expect.stringContaining(`already runs on ${dataDir}`) });
  }

  async function startParent() {
    const script = fileURLToPath(new URL("./testing/parent.ts", import.meta.url));
    const parent = spawn(process.execPath, ["--conditions=source", script, dataDir], { env: plainEnv, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let errors = "";
    parent.stdout.setEncoding("utf8").on("data", (text: string) => void (output += text));
    parent.stderr.setEncoding("utf8").on("data", (text: string) => void (errors += text));
    const isUp = await waitUntil(() => output.includes("\n") || parent.exitCode !== null, startLimitMs);
    if (!isUp || parent.exitCode !== null) throw new Error(`no stack: ${errors}`);
    const addresses: { postgresUrl: string; kafkaBrokers: string; registryUrl: string } = JSON.parse(output);
    return { process: parent, addresses, errors: () => errors };
  }

  async function end(parent: ChildProcess): Promise<void> {
    const ended = new Promise((resolve) => parent.once("exit", resolve));
    parent.kill("SIGTERM");
    expect(await ended).toBe(0);
  }

  async function pidOf(name: string): Promise<number> {
    const noted: { pid: number } = JSON.parse(await readFile(join(dataDir, "run", `${name}.pid`), "utf8"));
    return noted.pid;
  }
});

async function writeRow({ postgresUrl }: { postgresUrl: string }, text: string): Promise<void> {
  const sql = postgres(postgresUrl, { max: 1 });
  await sql`CREATE TABLE note (text text NOT NULL)`;
  await sql`INSERT INTO note VALUES (${text})`;
  await sql.end();
}

async function readRows({ postgresUrl }: { postgresUrl: string }): Promise<string[]> {
  const sql = postgres(postgresUrl, { max: 1 });
  const rows = await sql<{ text: string }[]>`SELECT text FROM note`;
  await sql.end();
  return rows.map((row) => row.text);
}
