import { type Random, seededRandom } from "../simulate/random.ts";
import { orderPrograms } from "../start/services.ts";
import { seconds, servers, standing } from "./instances.ts";
import type { Loss } from "./proxy/proxy.ts";

/** Which connections a TCP fault is about: of the services to PostgreSQL or Kafka, or of customers to the notifiers. */
export type Link = "postgres" | "kafka" | "push";

export type Fault =
  /** SIGKILL; started again after `downMs`. */
  | { readonly kind: "kill"; readonly target: string; readonly downMs: number }
  /** SIGSTOP to it and all its children, SIGCONT after `ms`. */
  | { readonly kind: "freeze"; readonly target: string; readonly ms: number }
  /** Stopped in order, and started again at once. */
  | { readonly kind: "restart"; readonly target: string }
  /** Bytes take `byMs` longer each way. */
  | { readonly kind: "delay"; readonly link: Link; readonly byMs: number; readonly ms: number }
  /** Bytes are swallowed, both ways or only the answers; the connections that lost some are reset after `ms`. */
  | { readonly kind: "half-open"; readonly link: Link; readonly swallow: "both" | "answers"; readonly ms: number }
  /** Every connection is reset. */
  | { readonly kind: "reset"; readonly link: Link }
  /** Of the next `times` commits of a process: COMMIT never arrives, or its answer does not; the connection is reset. */
  | { readonly kind: "lost-commit"; readonly target: string; readonly loss: Loss; readonly times: number }
  /** The same with the next `times` sends of a process to Kafka. */
  | { readonly kind: "lost-send"; readonly target: string; readonly loss: Loss; readonly times: number }
  /** The system's clock of a process is `byMs` ahead, or behind, for `ms`. */
  | { readonly kind: "clock-step"; readonly target: string; readonly byMs: number; readonly ms: number }
  /** A second process of a program joins the group and leaves it after `ms`, in order or killed. */
  | { readonly kind: "rebalance"; readonly target: string; readonly ms: number; readonly leave: "stop" | "kill" }
  /** The file system of PostgreSQL has no byte left for `ms`. */
  | { readonly kind: "disk-full"; readonly ms: number };

export type FaultKind = Fault["kind"];

export const faultKinds = [
  "kill",
  "freeze",
  "restart",
  "delay",
  "half-open",
  "reset",
  "lost-commit",
  "lost-send",
  "clock-step",
  "rebalance",
  "disk-full",
] as const satisfies readonly FaultKind[];

export interface Planned {
  /** After the first order. */
  readonly atMs: number;
  readonly fault: Fault;
}

const FIRST_AT_MS = 3_000;
const LEAST_GAP_MS = 2_000;
const GAP_MS = 5_000;
const links: readonly Link[] = ["postgres", "kafka", "push"];
/** Shorter than every timeout; longer than PostgreSQL lets an idle transaction be; longer than a group's session. */
const freezesMs = [1_500, 7_000, 13_000] as const;

/** A producer tries four times by itself: some are lost within one send, some make sends fail for good, twice in a row the most. */
const lostSends = [1, 3, 6, 9] as const;
/** What issues or judges tokens, which hold for 30 s, is stepped by less than those. */
const clockStepsMs = { program: [-240_000, -2_000, 2_000, 240_000], other: [-12_000, -2_000, 2_000, 12_000] } as const;

/** Which faults there are to be. */
export interface Choice {
  readonly kinds: readonly FaultKind[];
  /** Names of processes and links; none: all. */
  readonly on: readonly string[];
}

const everyFault: Choice = { kinds: faultKinds, on: [] };
const names = standing.map(({ name }) => name);

/** What a kind of fault can hit. */
const places: Readonly<Record<FaultKind, readonly string[]>> = {
  kill: [...names, ...servers],
  freeze: [...names, ...servers],
  restart: [...names, "kafka", "postgres"],
  delay: links,
  "half-open": links,
  reset: links,
  "lost-commit": names,
  "lost-send": [...orderPrograms.map((program) => `${program}-processor`), "merchant-api"],
  "clock-step": names,
  rebalance: seconds.map(({ name }) => name),
  "disk-full": ["postgres"],
};

/** Everything that can be hit. */
export const allPlaces: readonly string[] = [...new Set(Object.values(places).flat())];

/** A fault on something, with parameters that are still to be drawn. */
interface Card {
  readonly at: string;
  readonly draw: (random: Random) => Fault;
}

function everything(kinds: readonly FaultKind[]): Card[] {
  return kinds.flatMap((kind) => places[kind].map((at) => ({ at, draw: (random: Random) => drawn(kind, at, random) })));
}

function drawn(kind: FaultKind, at: string, random: Random): Fault {
  const pick = <T>(from: readonly [T, ...T[]]): T => from[random.below(from.length)] ?? from[0];
  const link = links.find((one) => one === at) ?? "postgres";
  switch (kind) {
    case "kill":
      return { kind, target: at, downMs: pick([0, 1_000, 4_000]) };
    case "freeze":
      return { kind, target: at, ms: pick(freezesMs) };
    case "restart":
      return { kind, target: at };
    case "delay":
      return { kind, link, byMs: 20 + random.below(400), ms: 3_000 + random.below(5_000) };
    case "half-open":
      return { kind, link, swallow: pick(["both", "answers"]), ms: 2_000 + random.below(8_000) };
    case "reset":
      return { kind, link };
    case "lost-commit":
      return { kind, target: at, loss: pick(["request", "answer"]), times: 1 + random.below(4) };
    case "lost-send":
      return { kind, target: at, loss: pick(["request", "answer"]), times: pick(lostSends) };
    case "clock-step":
      return {
        kind,
        target: at,
        byMs: pick(clockStepsMs[at.endsWith("-processor") ? "program" : "other"]),
        ms: 4_000 + random.below(8_000),
      };
    case "rebalance":
      return { kind, target: at, ms: 4_000 + random.below(6_000), leave: pick(["stop", "kill"]) };
    case "disk-full":
      return { kind, ms: 2_000 + random.below(4_000) };
  }
}

/**
 * Which faults come when: the same for the same arguments. All faults are dealt like cards from a shuffled deck, so that each
 * kind has hit each target once before any comes again.
 */
export function schedule(seed: number, durationMs: number, { kinds, on }: Choice = everyFault): Planned[] {
  const random = seededRandom(seed);
  const chosen = everything(kinds).filter(({ at }) => on.length === 0 || on.includes(at));
  const planned: Planned[] = [];
  let deck: Card[] = [];
  for (let atMs = FIRST_AT_MS; atMs < durationMs; atMs += LEAST_GAP_MS + random.below(GAP_MS)) {
    if (deck.length === 0) deck = shuffled(chosen, random);
    const card = deck.pop();
    if (card === undefined) break;
    planned.push({ atMs, fault: card.draw(random) });
  }
  return planned;
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const order = items.map((item) => ({ item, by: random.fraction() }));
  return order.toSorted((a, b) => a.by - b.by).map(({ item }) => item);
}

/** One line for people. */
export function describeFault(fault: Fault): string {
  const { kind, ...parameters } = fault;
  return [kind, ...Object.entries(parameters).map(([name, value]) => (typeof value === "number" ? `${name}=${value}` : value))].join(" ");
}
