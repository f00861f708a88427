import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import postgres from "postgres";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { openSql, type Sql } from "./connect.ts";

// What patches/postgres@3.4.9.patch mends of the client.
let sql: Sql;
let admin: Sql;
beforeAll(() => {
  sql = openSql(inject("stack").postgresUrl, { max: 1, applicationName: "connect-test" });
  admin = openSql(inject("stack").postgresUrl, { max: 1, applicationName: "connect-test-admin" });
});
afterAll(() => Promise.all([sql.end({ timeout: 1 }), admin.end({ timeout: 1 })]));

test("a result begins with its first row, also after a statement that failed in the middle of its rows", async () => {
  const failing = sql.unsafe("SELECT 6 / (4 - n) AS share FROM generate_series(1, 5) AS n");
  await expect(failing).rejects.toMatchObject({ code: "22012" });
  const rows = await sql.unsafe<{ n: number }[]>("SELECT 7 AS n");
  expect(rows).toHaveLength(1);
  expect(rows[0]).toEqual({ n: 7 });
});

test("a pool goes on after the connection of a transaction was lost", { timeout: 20_000 }, async () => {
  const where = ["before a statement", "within a statement", "between statements sent together"];
  for (const [i, place] of where.entries()) {
    const transaction = sql.begin(async (tx) => {
      const [row] = await tx<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
      const end = () => admin`SELECT pg_terminate_backend(${row!.pid}, 5000)`;
      if (i === 0) await end();
      if (i === 1) await Promise.all([tx`SELECT pg_sleep(10)`, end()]);
      if (i === 2) await Promise.all([tx`SELECT 1`, end().then(() => tx`SELECT 2`), tx`SELECT pg_sleep(10)`, tx`SELECT 3`]);
      await tx`SELECT 4`;
    });
    await expect(transaction, place).rejects.toThrow(/CONNECTION_CLOSED|terminating connection/);
    expect(await sql.unsafe("SELECT 5 AS n"), place).toEqual([{ n: 5 }]);
  }
});

test("a statement or transaction that begins between a connection's error and its end is refused, not forgotten", async () => {
  const { hostname, port } = new URL(inject("stack").postgresUrl);
  const sockets: Socket[] = [];
  const open = () =>
    new Promise<Socket>((resolve) => {
      const socket = connect(Number(port), hostname, () => resolve(socket));
      sockets.push(socket);
    });
  // Its types leave `socket` out.
  const options = { max: 1, fetch_types: false, backoff: false as const, socket: open };
  const client = postgres(inject("stack").postgresUrl, options);
  for (const start of [() => client.unsafe("SELECT 2").execute(), () => client.begin((tx) => tx`SELECT 2`)]) {
    await client.unsafe("SELECT 1");
    const socket = sockets.at(-1)!;
    const refused = new Promise((resolve, reject) =>
      socket.once("error", () => process.nextTick(() => start().then(() => reject(new Error("it was answered")), resolve))),
    );
    socket.destroy(new Error("read ECONNRESET"));
    expect(await refused).toMatchObject({ code: "CONNECTION_CLOSED" });
  }
  expect(await client.unsafe("SELECT 3 AS n")).toEqual([{ n: 3 }]);
  await client.end({ timeout: 1 });
});

test("a statement on a line that is dead without a word fails in time, and the pool goes on by another", async () => {
  const { hostname, port } = new URL(inject("stack").postgresUrl);
  let isDead = false;
  const line = createServer((client) => {
    const server = connect(Number(port), hostname);
    client.pipe(server);
    server.on("data", (chunk) => void (isDead || client.write(chunk)));
    for (const socket of [client, server]) socket.on("error", () => {}).on("close", () => void (client.destroy(), server.destroy()));
  }).listen(0, "127.0.0.1");
  await once(line, "listening");
  const url = new URL(inject("stack").postgresUrl);
  url.host = `127.0.0.1:${(line.address() as { port: number }).port}`;
  const pool = openSql(url.href, { max: 1, applicationName: "connect-test-dead", answerTimeoutMs: 400 });
  // Whatever stalls for as long as an answer may take fails once; it is asked again.
  const answers = () => expect.poll(() => pool.unsafe("SELECT 3 AS n").catch(() => "not yet")).toEqual([{ n: 3 }]);
  await answers();
  for (const start of [() => pool.unsafe("SELECT 2").execute(), () => pool.begin((tx) => tx`SELECT 2`)]) {
    isDead = true;
    await expect(start()).rejects.toMatchObject({ code: "ETIMEDOUT" });
    isDead = false;
    await answers();
  }
  // Nobody waits: an idle connection stays.
  const pid = async () => (await pool.unsafe("SELECT pg_backend_pid() AS pid"))[0]!["pid"] as number;
  const staysIdle = async () => {
    const before = await pid();
    await admin.unsafe("SELECT pg_sleep(0.6)");
    return (await pid()) === before;
  };
  await expect.poll(staysIdle).toBe(true);
  await pool.end({ timeout: 1 });
  line.close();
});
