import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts, stackPorts } from "@perkstream/stack";
import { services } from "../start/services.ts";

const LIMIT_MS = 10 * 60_000;

/** Runs `npm start` twice on one data folder and measures to the first push at a customer's socket. */
export async function start(say: (line: string) => void): Promise<Record<string, unknown>> {
  const dataDir = await mkdtemp(join(tmpdir(), "perkstream-bench-"));
  try {
    const first = await untilFirstPush(dataDir, say);
    const second = await untilFirstPush(dataDir, say);
    return { bench: "start", secondsToFirstPush: { first, second } };
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function untilFirstPush(dataDir: string, say: (line: string) => void): Promise<number> {
  const variables = [...Object.values(stackPorts), ...services.map(({ port }) => port)].map(({ variable }) => variable);
  const ports = await freePorts(variables.length);
  const env = {
    ...process.env,
    PERKS_DATA_DIR: dataDir,
    ...Object.fromEntries(variables.map((variable, i) => [variable, String(ports[i])])),
  };
  const portOf = (name: string) => env[services.find((service) => service.name === name)!.port.variable as keyof typeof env];
  const began = performance.now();
  const child = spawn("npm", ["start", "--silent"], { env, stdio: ["ignore", "pipe", "inherit"] });
  child.stdout.setEncoding("utf8").on("data", (text: string) => say(text.trimEnd()));
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  try {
    const url = await customerSocket(`http://127.0.0.1:${portOf("merchant-api")}`, began);
    const pushedAt = await firstNote(url);
    return Number(((pushedAt - began) / 1_000).toFixed(1));
  } finally {
    child.kill("SIGTERM");
    await ended;
  }
}

async function customerSocket(api: string, began: number): Promise<{ url: string; token: string }> {
  for (;;) {
    try {
      const { token } = await post<{ token: string }>(`${api}/v1/dev/sign-in`, {}, {});
      return await post<{ url: string; token: string }>(`${api}/v1/customers/customer-1/tokens`, { authorization: `Bearer ${token}` }, {});
    } catch (error) {
      if (performance.now() - began > LIMIT_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function post<T>(url: string, headers: Record<string, string>, body: unknown): Promise<T> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(5_000),
  });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return (await response.json()) as T;
}

/** When the first note arrives that was made after the connection (ms of performance.now()). */
async function firstNote({ url, token }: { url: string; token: string }): Promise<number> {
  const until = performance.now() + LIMIT_MS;
  for (;;) {
    const connectedAt = Date.now();
    const socket = new WebSocket(url, ["perks.v1", `perks.auth.${token}`]);
    const at = await new Promise<number | null>((resolve) => {
      socket.addEventListener("open", () => socket.send(JSON.stringify({ t: "hello", device: "bench" })));
      socket.addEventListener("message", ({ data }) => {
        const frame = JSON.parse(String(data)) as { t: string; at?: string };
        if (frame.t === "note" && Date.parse(frame.at ?? "") >= connectedAt - 1_000) resolve(performance.now());
      });
      for (const event of ["error", "close"] as const) socket.addEventListener(event, () => resolve(null));
    });
    socket.close();
    if (at !== null) return at;
    if (performance.now() > until) throw new Error("no push in ten minutes");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
