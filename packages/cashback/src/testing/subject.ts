import {
  cashbackPart,
  type Part,
  type SplitSubject,
  type Step as StoryStep,
  type Story,
  type Subject,
  type View,
} from "@perkstream/reference";
import type { Observed, World } from "./compare.ts";
import type { DatabaseWorld } from "./database.ts";
import type { Step, Vector } from "./vectors.ts";

/** A story is a vector with all of its fields. */
export function vectorOf(story: Story): Vector {
  return story as unknown as Vector;
}

/** Lets a world live through a story step by step, beside the reference model. */
export function subjectOf(world: World): Subject {
  return {
    apply: (step: StoryStep) => world.step(step as unknown as Step),
    look: async () => viewOf(await world.observe()),
  };
}

/** The same through the program and its database; takes events in chunks. */
export function splitSubjectOf(world: DatabaseWorld): SplitSubject {
  return {
    apply: (step) => world.step(step as unknown as Step),
    events: (steps, chunkSize) => world.feed(steps, chunkSize),
    restart: () => world.restart(),
    look: async () => inAnyOrder(viewOf(await world.observe())),
  };
}

/** Clawbacks of several orders are found order by order. */
export function inAnyOrder(view: View): View {
  const texts = (view["clawbacks"] as object[]).map((clawback) => JSON.stringify(Object.entries(clawback).sort()));
  return { ...view, clawbacks: texts.sort() };
}

function viewOf({ ledger, ...seen }: Observed): View {
  return { ...seen, ledger: Object.fromEntries(Object.entries(ledger).filter(([, amount]) => amount !== 0)) };
}

/** What the domain answers for: the sums of a campaign's stats are made by the database, and currencies written by the program. */
export const domainPart: Part = (snapshot, model) => {
  const view = cashbackPart(snapshot, model);
  const campaigns = Object.entries(snapshot.campaigns).map(([id, { usedMinor, budgetLeftMinor, caps }]) => [
    id,
    { usedMinor, budgetLeftMinor, caps },
  ]);
  const notifications = (view["notifications"] as object[]).map((notice) => ({ ...notice, currency: undefined }));
  return { ...view, notifications, campaigns: Object.fromEntries(campaigns) };
};
