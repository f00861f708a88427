import { setTimeout as sleep } from "node:timers/promises";
import { waitUntil } from "@perkstream/stack";
import type { Proxy } from "./proxy/proxy.ts";
import type { Rig } from "./rig.ts";
import type { Fault, Link } from "./schedule.ts";
import type { Target } from "./target.ts";

const goneLimitMs = 10_000;
const lossLimitMs = 20_000;

/** Does a fault and heals it. Resolves with what came of it, once everything that it hit is up again. */
export async function inject(rig: Rig, fault: Fault): Promise<string> {
  switch (fault.kind) {
    case "kill":
      return on(rig, fault.target, (target) => kill(target, fault.downMs));
    case "freeze":
      return on(rig, fault.target, (target) => freeze(target, fault.ms));
    case "restart":
      return on(rig, fault.target, restart);
    case "rebalance":
      return on(rig, fault.target, (target) => comeAndGo(target, fault.ms, fault.leave));
    case "disk-full":
      return fillDisk(rig, fault.ms);
    case "lost-commit":
      return lose(rig.databaseProxy(fault.target), fault.times, (proxy, times) => proxy.loseCommits(fault.loss, times));
    case "lost-send":
      return lose(rig.kafkaProxy, fault.times, (proxy, times) => proxy.loseSends(`${fault.target}-`, fault.loss, times));
    case "clock-step":
      return on(rig, fault.target, (target) => stepClock(rig, target, fault.byMs, fault.ms));
    case "reset":
      return `${rig.proxies(fault.link).reduce((sum, proxy) => sum + proxy.reset(), 0)} connections`;
    case "delay":
      return during(fault.ms, rig, fault.link, (proxy, isOn) => proxy.delay(isOn ? fault.byMs : 0));
    case "half-open":
      return during(fault.ms, rig, fault.link, (proxy, isOn) => proxy.swallow(isOn ? fault.swallow : "none"));
  }
}

async function on(rig: Rig, name: string, run: (target: Target) => Promise<void>): Promise<string> {
  const target = rig.target(name);
  const from = performance.now();
  await target.exclusively(() => run(target));
  return `healed after ${((performance.now() - from) / 1_000).toFixed(1)} s`;
}

async function kill(target: Target, downMs: number): Promise<void> {
  await end(target);
  await sleep(downMs);
  await target.up();
}

async function end(target: Target): Promise<void> {
  target.expectEnd();
  target.signal("SIGKILL");
  if (!(await waitUntil(() => target.pid() === undefined, goneLimitMs))) throw new Error(`${target.name} outlived SIGKILL`);
}

async function freeze(target: Target, ms: number): Promise<void> {
  target.signal("SIGSTOP");
  try {
    await sleep(ms);
  } finally {
    target.signal("SIGCONT");
  }
}

async function restart(target: Target): Promise<void> {
  target.expectEnd();
  await target.stop();
  await target.up();
}

async function comeAndGo(target: Target, ms: number, leave: "stop" | "kill"): Promise<void> {
  await target.up();
  await sleep(ms);
  target.expectEnd();
  await (leave === "stop" ? target.stop() : end(target));
}

async function fillDisk(rig: Rig, ms: number): Promise<string> {
  if (rig.disk === null) return "left out: no file system of its own";
  const { disk } = rig;
  return on(rig, "postgres", async (postgres) => {
    // It gives up when it cannot write its log.
    postgres.expectEnd();
    await disk.fill();
    await sleep(ms);
    await disk.empty();
    await postgres.up();
  });
}

/** Until all are lost that are to be, or nothing more comes that could be. */
async function lose(proxy: Proxy, times: number, set: (proxy: Proxy, times: number) => void): Promise<string> {
  const before = proxy.lost;
  set(proxy, times);
  await waitUntil(() => proxy.lost - before >= times, lossLimitMs);
  set(proxy, 0);
  return `${proxy.lost - before} lost`;
}

async function stepClock(rig: Rig, target: Target, byMs: number, ms: number): Promise<void> {
  await rig.setClock(target, byMs);
  try {
    await sleep(ms);
  } finally {
    await rig.setClock(target, 0);
  }
}

/** Two faults of one kind on one link take turns: the first to end heals what both have set, which is a fault that is shorter. */
async function during(ms: number, rig: Rig, link: Link, set: (proxy: Proxy, isOn: boolean) => void): Promise<string> {
  const proxies = rig.proxies(link);
  const swallowed = () => proxies.reduce((sum, proxy) => sum + proxy.swallowedBytes, 0);
  const before = swallowed();
  for (const proxy of proxies) set(proxy, true);
  try {
    await sleep(ms);
  } finally {
    for (const proxy of proxies) set(proxy, false);
  }
  const bytes = swallowed() - before;
  return bytes === 0 ? "healed" : `healed, ${bytes} bytes swallowed`;
}
