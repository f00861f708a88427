import { customerKey, type Customer } from "@perkstream/inbox";
import { connect as connectLine } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import type { Notifier } from "./notifier.ts";
import { Device } from "./testing/device.ts";
import { RawSocket } from "./testing/raw-socket.ts";
import { customerToken, merchantToken, newCustomer, openRig, secret, type Rig } from "./testing/rig.ts";

let rig: Rig;
let notifier: Notifier;
let customer: Customer;
let folder: string;

beforeAll(async () => {
  rig = await openRig(inject("stack"));
  await rig.startInbox();
  folder = await mkdtemp(join(tmpdir(), "page-"));
  await writeFile(join(folder, "index.html"), "<h1>page</h1>");
  await writeFile(join(folder, "app.js"), "export {};");
  notifier = await rig.start({ page: { folder, merchantApi: "http://127.0.0.1:1", merchantId: "m" } });
});

afterAll(async () => {
  await rig.close();
  await rm(folder, { recursive: true });
});

beforeEach(() => {
  customer = newCustomer();
});

async function connect(to: Customer = customer, port = notifier.port): Promise<Device> {
  return Device.connect(port, await customerToken(to));
}

async function raw(headers: Record<string, string>, path?: string, port = notifier.port) {
  const token = await customerToken(customer);
  return RawSocket.open(port, { "sec-websocket-protocol": `perks.v1, perks.auth.${token}`, ...headers }, path);
}

describe("tokens", () => {
  const key = new TextEncoder().encode(secret);
  const now = () => Math.floor(Date.now() / 1_000);
  const claims = () => ({ merchant: customer.merchant, sub: customer.customerId });
  const signed = (more: Record<string, unknown> = {}) =>
    new SignJWT({ ...claims(), aud: "perkstream-customer", ...more }).setProtectedHeader({ alg: "HS256" });

  const bad: Record<string, () => Promise<string> | string> = {
    "is missing": () => "",
    "is no JWT": () => "abc",
    "has expired": () => customerToken(customer, { ttlSeconds: -5 }),
    "has no expiry": () => signed().sign(key),
    "lives longer than 15 minutes": () => customerToken(customer, { ttlSeconds: 7_200 }),
    "has another audience": () => customerToken(customer, { audience: "perkstream-merchant" }),
    "has no audience": () => new SignJWT({ ...claims(), exp: now() + 60 }).setProtectedHeader({ alg: "HS256" }).sign(key),
    "is for two audiences": () => signed({ aud: ["perkstream-customer", "perkstream-merchant"], exp: now() + 60 }).sign(key),
    "is signed by another secret": () => customerToken(customer, { secret: "another secret, long enough for HS256 too" }),
    "is signed by another algorithm": () =>
      new SignJWT({ ...claims(), aud: "perkstream-customer", exp: now() + 60 }).setProtectedHeader({ alg: "HS512" }).sign(key),
    "is not signed": () => new UnsecuredJWT({ ...claims(), aud: "perkstream-customer", exp: now() + 60 }).encode(),
    "names no merchant": () => signed({ merchant: undefined, exp: now() + 60 }).sign(key),
    "names no customer": () => signed({ sub: "", exp: now() + 60 }).sign(key),
    "names a customer that no database can hold": () => signed({ sub: "a\u0000b", exp: now() + 60 }).sign(key),
  };

  test.each(Object.keys(bad))("one that %s is let in and closed with 4001", async (name) => {
    const token = await bad[name]!();
    const device = new Device(notifier.port, token === "" ? ["perks.v1"] : ["perks.v1", `perks.auth.${token}`]);
    await device.opened();
    expect(await device.closed).toEqual({ code: 4001, reason: "token" });
  });

  test("only perks.v1 is answered, never the token", async () => {
    const device = await (await connect()).opened();
    expect(device.socket.protocol).toBe("perks.v1");
    device.close();
  });

  test("one that expires while the connection is open closes it; a fresh one in band keeps it", async () => {
    const brief = await customerToken(customer, { ttlSeconds: 10 });
    const [left, kept] = [Device.connect(notifier.port, brief), Device.connect(notifier.port, brief)];
    await Promise.all([left.hello(), kept.hello()]);
    kept.send({ t: "auth", token: await customerToken(customer) });
    await kept.until(() => kept.of("auth").length === 1);
    expect(Date.parse(String(kept.of("auth")[0]!["expiresAt"]))).toBeGreaterThan(Date.now() + 800_000);
    expect(await left.closed).toEqual({ code: 4001, reason: "token" });
    const [id] = await rig.notify(customer);
    await kept.until(() => kept.ids.includes(id));
    kept.close();
  });

  test.each(["customer", "merchant", "broken"])("in band, another one's (%s) closes", async (whose) => {
    const device = await connect();
    await device.hello();
    const other = whose === "customer" ? { ...customer, customerId: "other" } : { ...newCustomer(), customerId: customer.customerId };
    device.send({ t: "auth", token: whose === "broken" ? "abc" : await customerToken(other) });
    expect(await device.closed).toEqual({ code: 4001, reason: "token" });
  });
});

describe("upgrades", () => {
  test("of a foreign page are closed with 4003; of an allowed or local one, or of no page, are let in", async () => {
    for (const origin of ["https://evil.example", "null", "https://shop.example.evil", "http://localhost.evil:80"]) {
      const { raw: socket, status } = await raw({ origin });
      expect(status).toBe(101);
      expect(await socket.closed()).toEqual({ code: 4003, reason: "origin" });
    }
    for (const origin of ["https://shop.example", "http://localhost:5173", "http://127.0.0.1:1"]) {
      const { raw: socket } = await raw({ origin });
      socket.send(JSON.stringify({ t: "hello", device: "d" }));
      socket.send(JSON.stringify({ t: "?" }));
      expect(await socket.closed()).toEqual({ code: 4000, reason: "bad_frame" });
    }
  });

  test("without perks.v1 are 400, of another path 404, by a foreign host name 421", async () => {
    expect((await raw({ "sec-websocket-protocol": "perks.v2" })).status).toBe(400);
    expect((await raw({}, "/v1/other")).status).toBe(404);
    expect((await raw({ host: "evil.example" })).status).toBe(421);
  });

  test("may bring 8 KB of headers", async () => {
    const { raw: socket, status } = await raw({ cookie: "x".repeat(8_000) });
    expect(status).toBe(101);
    socket.socket.destroy();
  });

  test("above the limits are 503 with Retry-After, and those that are in go on getting their notes", async () => {
    const small = await rig.start({ limits: { connections: 1 } });
    const first = await raw({}, undefined, small.port);
    expect(first.status).toBe(101);
    first.raw.send(JSON.stringify({ t: "hello", device: "d" }));
    for (let i = 0; i < 50; i++) {
      const refused = await raw({}, undefined, small.port);
      expect(refused.status).toBe(503);
      expect(refused.head).toMatch(/retry-after: \d/i);
      refused.raw.socket.destroy();
    }
    const [id] = await rig.notify(customer);
    await expect.poll(() => first.raw.text.includes(String(id))).toBe(true);
    first.raw.socket.destroy();
    await expect.poll(async () => (await raw({}, undefined, small.port)).status).toBe(101);
    const slow = await rig.start({ limits: { upgradesPerSecond: 2 } });
    const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await raw({}, undefined, slow.port)).status));
    // More than two only if answering all of them took half a second and more.
    expect(statuses.slice().sort((a, b) => a - b)).toEqual(expect.arrayContaining([101, 503]));
    expect(statuses.filter((status) => status === 101).length).toBeGreaterThanOrEqual(2);
  });
});

describe("frames", () => {
  const hello = JSON.stringify({ t: "hello", device: "d" });
  const bad: Record<string, (string | Buffer)[]> = {
    "that is no JSON": ["{"],
    "that is no object": ["[]"],
    "of an unknown t": [hello, JSON.stringify({ t: "shout" })],
    "before hello": [JSON.stringify({ t: "ack", cursor: "0:1" })],
    "hello a second time": [hello, hello],
    "hello without a device": [JSON.stringify({ t: "hello" })],
    "hello with a long device": [JSON.stringify({ t: "hello", device: "x".repeat(65) })],
    "hello with a broken cursor": [JSON.stringify({ t: "hello", device: "d", cursor: "here" })],
    "above 4,096 bytes": [hello, JSON.stringify({ t: "auth", token: "x".repeat(4_100) })],
    "that is binary": [Buffer.from(hello)],
    "ack without a cursor": [hello, JSON.stringify({ t: "ack" })],
  };

  test.each(Object.keys(bad))("one %s closes with 4000", async (name) => {
    const { raw: socket } = await raw({});
    for (const frame of bad[name]!) socket.send(frame, Buffer.isBuffer(frame) ? 2 : 1);
    expect(await socket.closed()).toEqual({ code: 4000, reason: "bad_frame" });
  });

  test("hello with a cursor of another partition closes with 4000", async () => {
    const device = await (await connect()).opened();
    device.send({ t: "hello", device: "d", cursor: `${(rig.partitionOf(customer) + 1) % 3}:-1` });
    expect(await device.closed).toEqual({ code: 4000, reason: "bad_frame" });
  });

  test("no hello in time closes with 4000", async () => {
    const hasty = await rig.start({ limits: { helloMs: 300 } });
    const device = await (await connect(customer, hasty.port)).opened();
    expect(await device.closed).toEqual({ code: 4000, reason: "bad_frame" });
  });

  test("a hello that came while the process stood still is heard before it is missed", async () => {
    const hasty = await rig.start({ limits: { helloMs: 2_000 } });
    const device = await (await connect(customer, hasty.port)).opened();
    device.send({ t: "hello", device: "d" });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_100);
    await device.until(() => device.of("welcome").length > 0);
  });

  test("more than ten in a second close with 4013; ten do not", async () => {
    const device = await connect();
    await device.hello();
    const ack = { t: "ack", cursor: `${rig.partitionOf(customer)}:-1` };
    for (let i = 0; i < 9; i++) device.send(ack);
    const [id] = await rig.notify(customer);
    await device.until(() => device.ids.includes(id));
    for (let i = 0; i < 11; i++) device.send(ack);
    expect(await device.closed).toEqual({ code: 4013, reason: "frame_rate" });
  });
});

test("an eleventh device closes the oldest", async () => {
  const devices: Device[] = [];
  for (let i = 0; i < 11; i++) {
    const device = await connect();
    await device.hello(undefined, "the same label");
    devices.push(device);
  }
  expect(await devices[0]!.closed).toEqual({ code: 4009, reason: "too_many_devices" });
  const [id] = await rig.notify(customer);
  await Promise.all(devices.slice(1).map((device) => device.until(() => device.ids.includes(id))));
  for (const device of devices) device.close();
});

test("a client that does not read is closed with 4008 and harms nobody", async () => {
  const { raw: slow } = await raw({});
  slow.send(JSON.stringify({ t: "hello", device: "slow" }));
  const quick = await connect();
  await quick.hello();
  slow.socket.pause();
  const reason = "x".repeat(20_000);
  let sent = 0;
  // The kernel takes some megabytes on behalf of the slow client before anything waits in the process.
  while (!(await isClosed()) && sent < 2_000) sent += (await rig.notify(customer, 20, { reason })).length;
  await quick.until(() => quick.notes.length === sent, 60_000);
  slow.socket.resume();
  expect(await slow.closed(60_000)).toEqual({ code: 4008, reason: "too_slow" });
  quick.close();

  async function isClosed(): Promise<boolean> {
    const metrics = await (await fetch(`http://127.0.0.1:${notifier.port}/metrics`)).text();
    return /perkstream_closes_total\{reason="too_slow"\} [1-9]/.test(metrics);
  }
});

describe("admin", () => {
  const call = async (path: string, init: { method?: string; token?: string } = {}) => {
    const response = await fetch(`http://127.0.0.1:${notifier.port}${path}`, {
      method: init.method ?? "GET",
      headers: init.token === undefined ? {} : { authorization: `Bearer ${init.token}` },
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  test("presence names a customer's connections, of the token's merchant only", async () => {
    const weird = { ...customer, customerId: "a b/ü" };
    const path = `/v1/presence/${encodeURIComponent(weird.customerId)}`;
    const token = await merchantToken(customer.merchant, "viewer");
    expect((await call(path, { token })).body).toEqual({ customerId: weird.customerId, online: false, connections: [] });
    const device = await connect(weird);
    const welcome = await device.hello(undefined, "phone");
    expect((await call(path, { token })).body).toEqual({
      customerId: weird.customerId,
      online: true,
      connections: [{ session: welcome["session"], device: "phone", since: expect.stringMatching(/^\d{4}-.*Z$/) }],
    });
    const stranger = await merchantToken(newCustomer().merchant, "owner");
    expect((await call(path, { token: stranger })).body).toMatchObject({ online: false });
    device.close();
    await expect.poll(async () => (await call(path, { token })).body["online"]).toBe(false);
  });

  test("disconnect closes all with 4002 and needs the role operator", async () => {
    const path = `/v1/disconnect/${customer.customerId}`;
    const devices = await Promise.all([connect(), connect()]);
    await Promise.all(devices.map((device) => device.hello()));
    expect(await call(path, { method: "POST" })).toMatchObject({ status: 401, body: { code: "unauthenticated", retryable: false } });
    expect((await call(path, { method: "POST", token: await customerToken(customer) })).status).toBe(401);
    const viewer = await merchantToken(customer.merchant, "viewer");
    expect(await call(path, { method: "POST", token: viewer })).toMatchObject({ status: 403, body: { code: "forbidden" } });
    const operator = await merchantToken(customer.merchant, "operator");
    expect(await call(path, { method: "POST", token: operator })).toEqual({ status: 200, body: { closed: 2 } });
    for (const device of devices) expect(await device.closed).toEqual({ code: 4002, reason: "disconnected" });
    expect(await call(path, { method: "POST", token: operator })).toEqual({ status: 200, body: { closed: 0 } });
  });

  test("HEAD is answered without a body, so that the connection goes on", async () => {
    const socket = connectLine(notifier.port, "127.0.0.1");
    let received = "";
    socket.setEncoding("utf8").on("data", (text: string) => (received += text));
    const ask = (method: string) => socket.write(`${method} /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`);
    ask("HEAD");
    await expect.poll(() => received).toMatch(/^HTTP\/1.1 200 OK[^]*\r\n\r\n/);
    ask("GET");
    await expect.poll(() => received).toMatch(/ok\n$/);
    expect(received.split("ok\n")).toHaveLength(2);
    socket.destroy();
  });

  test("of a customer that cannot be is 400", async () => {
    const token = await merchantToken(customer.merchant, "owner");
    for (const id of ["%00", "a%00b", "%ff", "%", "x".repeat(65)]) {
      expect(await call(`/v1/presence/${id}`, { token })).toMatchObject({ status: 400, body: { code: "invalid_request" } });
    }
  });

  test("health, metrics and the page", async () => {
    const get = async (path: string) => fetch(`http://127.0.0.1:${notifier.port}${path}`);
    expect(await (await get("/healthz")).text()).toBe("ok\n");
    expect((await get("/readyz")).status).toBe(200);
    const metrics = async () => (await get("/metrics")).text();
    expect(await metrics()).toContain("perkstream_connections");
    await expect.poll(async () => /^perkstream_live_fetch_age_seconds 0\.0*[1-9]/m.test(await metrics())).toBe(true);
    expect(await (await get("/")).text()).toBe("<h1>page</h1>");
    expect((await get("/app.js")).headers.get("content-type")).toMatch(/javascript/);
    expect(await (await get("/config.json")).json()).toEqual({ merchantApi: "http://127.0.0.1:1", merchantId: "m" });
    expect((await get("/..%2f..%2fpackage.json")).status).toBe(404);
    expect((await get("/nothing.html")).status).toBe(404);
    expect((await get("/v1/connect")).status).toBe(400);
  });
});

test("a stop says bye, closes with 1012, takes no more sockets and deletes its consumer group", async () => {
  const leaving = await rig.start({ drainMs: 500 });
  const devices = await Promise.all(Array.from({ length: 5 }, () => connect(newCustomer(), leaving.port)));
  await Promise.all(devices.map((device) => device.hello()));
  await leaving.stop();
  for (const device of devices) {
    expect(await device.closed).toEqual({ code: 1012, reason: "restart" });
    expect(device.of("bye")).toHaveLength(1);
  }
  await expect((await connect(customer, leaving.port)).opened()).rejects.toThrow("not opened");
});

test("a key is compared as a whole", async () => {
  const device = await connect();
  await device.hello();
  const near = [`${customer.customerId}x`, customer.customerId.slice(0, -1), `${customer.customerId} `];
  for (const customerId of near) await rig.notify({ ...customer, customerId });
  const [own] = await rig.notify(customer);
  await device.until(() => device.notes.length > 0);
  await rig.notify(customer);
  await device.until(() => device.notes.length > 1);
  expect(device.ids[0]).toBe(own);
  expect(customerKey(customer)).toContain(customer.merchant);
  device.close();
});
