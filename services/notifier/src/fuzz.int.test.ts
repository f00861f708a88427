import { request } from "node:http";
import * as fc from "fast-check";
import { fuzz } from "@perkstream/fuzz";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { Notifier } from "./notifier.ts";
import { Device } from "./testing/device.ts";
import { goodbye, oddStreams, type OddStream } from "./testing/odd-frames.ts";
import { oddAdmin, oddUpgrades, someTokens, type OddUpgrade } from "./testing/odd-upgrades.ts";
import { RawSocket } from "./testing/raw-socket.ts";
import { customerToken, merchantToken, newCustomer, openRig, type Rig } from "./testing/rig.ts";

const AT_ONCE = 16;
const ANSWER_MS = 20_000;
const PARTIAL_MS = 300;

let rig: Rig;
let notifier: Notifier;

beforeAll(async () => {
  rig = await openRig(inject("stack"));
  await rig.startInbox();
  const limits = { framesPerSecond: 100, upgradesPerSecond: 1_000_000 };
  notifier = await rig.start({ limits });
});
afterAll(() => rig?.close());

/** What the protocol's text names, and what ends a connection below it. */
const closeCodes = new Set([4000, 4001, 4003, 4008, 4009, 4013, 1012, 1013, 1000, 1001, 1002, 1005, 1006, 1007, 1009]);
/** 500 and 503 are not among them; 505 is uWebSockets.js's own, for bytes that are no HTTP/1.1. */
const refusals = new Set([400, 404, 413, 421, 431, 505]);

async function play({ path, headers }: OddUpgrade, { bytes, whole }: OddStream): Promise<void> {
  const { raw, status } = await RawSocket.open(notifier.port, headers, path);
  try {
    if (status !== 101) {
      // No status at all: the line was closed without an answer, as uWebSockets.js does with what is no request.
      if (!Number.isNaN(status) && !refusals.has(status)) throw new Error(`the upgrade was answered ${status}`);
      return;
    }
    raw.socket.write(bytes);
    raw.socket.write(goodbye);
    // A frame that was announced and does not come is waited for, until the socket has been idle for too long.
    const closed = whole ? await raw.closed(ANSWER_MS) : await raw.closed(PARTIAL_MS).catch(() => null);
    if (closed !== null && !closeCodes.has(closed.code)) throw new Error(`closed with ${closed.code} ${closed.reason}`);
  } finally {
    raw.socket.resetAndDestroy(); // no port is kept waiting
  }
}

test("no upgrade and no frame harms the notifier, and a device goes on getting its notes", async () => {
  const customer = newCustomer();
  const device = Device.connect(notifier.port, await customerToken(customer));
  await device.hello();
  const { good, bad } = await someTokens(Array.from({ length: 40 }, newCustomer));
  const tokens = fc.constantFrom(...good, ...bad);
  let frames = 0;
  const cases = fc.tuple(oddUpgrades(good, tokens), oddStreams(tokens));
  await fuzz({ name: "upgrades with frames", slice: 800, atOnce: AT_ONCE, caseMs: 2 * ANSWER_MS }, cases, async ([upgrade, stream]) => {
    await play(upgrade, stream);
    frames += stream.frames;
  });
  console.log(`fuzz frames: ${frames} were written`);
  const [id] = await rig.notify(customer);
  await device.until(() => device.ids.includes(id));
  const fresh = Device.connect(notifier.port, await customerToken(customer));
  await fresh.hello();
  const open = async () =>
    (await (await fetch(`http://127.0.0.1:${notifier.port}/metrics`)).text()).match(/^perkstream_connections (\d+)/m)?.[1];
  await expect.poll(open, { timeout: 20_000 }).toBe("2");
  device.close();
  fresh.close();
}, 3_600_000);

test("no request to the paths for merchants makes an internal error", async () => {
  const { merchant } = newCustomer();
  const authorizations = await Promise.all(
    ["viewer", "operator", "owner", "nobody"].map(async (role) => `Bearer ${await merchantToken(merchant, role)}`),
  );
  const cases = oddAdmin([...authorizations, "", "Bearer", `Bearer ${await customerToken(newCustomer())}`]);
  await fuzz({ name: "paths for merchants", slice: 400, share: 0.1, atOnce: 4, caseMs: ANSWER_MS }, cases, async (odd) => {
    const { status, text } = await ask(odd);
    if (status >= 500) throw new Error(`${odd.method} ${odd.path} answered ${status}: ${text}`);
    if (status >= 400 && odd.method !== "HEAD")
      expect(JSON.parse(text)).toMatchObject({ status, code: expect.stringMatching(/^[a-z_]+$/) as string });
  });
}, 3_600_000);

function ask({
  method,
  path,
  headers,
}: {
  method: string;
  path: string;
  headers: Record<string, string>;
}): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port: notifier.port, agent: false, method, path, headers }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text })).on("error", reject);
    });
    sent.on("error", reject).end();
  });
}
