import type { Model, SplitSubject, Step, Story, Subject, View } from "@perkstream/reference";
import type { TierChanged } from "@perkstream/contracts";
import { DriverPlayer } from "./driver-player.ts";
import type { Player } from "./expectations.ts";
import type { OpenStage } from "./stage.ts";
import { openParser, type Vector, type VectorStep } from "./vectors.ts";

const parser = openParser();

type EventStep = VectorStep & { readonly kind: "event" | "raw" };

/** Lets a player of worked cases live through a story step by step, beside the reference model. */
export async function openSubject(story: Story, model: Model, openPlayer: (vector: Vector) => Promise<Player> | Player): Promise<Subject> {
  const vector = vectorOf(story);
  return subjectOf(story, vector, model, await openPlayer(vector));
}

/** The same through the program and its database; takes events in chunks. */
export async function openSplitSubject(story: Story, model: Model, stage: OpenStage): Promise<SplitSubject> {
  const vector = vectorOf(story);
  const player = await DriverPlayer.open(stage, vector);
  const subject = subjectOf(story, vector, model, player);
  return {
    ...subject,
    look: async () => ({ ...(await subject.look()), multipliers: await player.multipliers(model.world.orders) }),
    events: (steps, chunkSize) =>
      player.events(
        steps.flatMap((step) => parser.stepsOf(vector, step) as EventStep[]),
        chunkSize,
      ),
    restart: () => stage.restart(),
  };
}

/** The steps come one by one. */
function vectorOf(story: Story): Vector {
  return parser.vectorOf({ ...story, steps: [] });
}

function subjectOf(story: Story, vector: Vector, model: Model, player: Player) {
  const refusals: string[] = [];
  const previews: unknown[] = [];
  const customers = customersIn(story);
  return {
    apply: (step: Step) => play(player, vector, step, refusals, previews),
    look: () => look(player, model, customers, refusals.splice(0), previews.splice(0)),
  };
}

function customersIn({ steps }: Story): ReadonlySet<string> {
  const inputs = steps.flatMap((step) => Object.values(step) as { readonly customerId?: string }[]);
  return new Set(inputs.flatMap(({ customerId }) => customerId ?? []));
}

async function play(player: Player, vector: Vector, step: Step, refusals: string[], previews: unknown[]): Promise<void> {
  for (const parsed of parser.stepsOf(vector, step)) {
    if (parsed.kind === "event" || parsed.kind === "raw") await player.event(parsed);
    else if (parsed.kind === "sweep") await player.sweep(parsed.atMs);
    else if (parsed.kind === "ladder") await player.edit(parsed.atMs, parsed.ladder);
    else if (parsed.kind === "preview") previews.push(await player.preview(parsed.atMs, parsed.ladder));
    else if ("pin" in parsed) {
      const refused = await player.command(parsed.kind, parsed.atMs, parsed.pin);
      if (refused !== null) refusals.push(`${parsed.kind} ${parsed.pin.customerId} ${refused}`);
    }
  }
}

async function look(
  player: Player,
  { world }: Model,
  named: ReadonlySet<string>,
  refusals: readonly string[],
  previews: readonly unknown[],
): Promise<View> {
  const customers: Record<string, unknown> = {};
  for (const customerId of named) {
    const seen = await player.customer(customerId, world.clock);
    if (seen !== null) customers[customerId] = { ...seen, history: seen.history.map((entry) => ({ ...entry, asOf: iso(entry.asOf) })) };
  }
  const orders: Record<string, unknown> = {};
  for (const { orderId } of world.orders) {
    const remaining = await player.remaining(orderId);
    if (remaining !== null) orders[orderId] = { remaining };
  }
  return {
    customers,
    orders,
    notifications: (await player.takeNotices()).map(plain),
    deadLetters: player.takeDeadLetters(),
    duplicates: await player.duplicates(),
    parked: await player.parked(),
    refusals,
    previews,
  };
}

function plain(notice: TierChanged): object {
  const { toNextTierMinor, occurredAt, ...fields } = notice;
  return { ...fields, occurredAt: iso(occurredAt), toNextTierMinor: toNextTierMinor === null ? null : Number(toNextTierMinor) };
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}
