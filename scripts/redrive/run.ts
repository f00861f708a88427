import type { DeadLetters, Letter, Place } from "./api.ts";
import type { Selection } from "./options.ts";

/** An event to be read once more; any of its dead letters names it. */
export interface DeadEvent extends Place {
  readonly id: string;
  readonly reasons: readonly string[];
}

export interface Redriven {
  readonly redriven: number;
  /** Of these, those of which a program made a new dead letter. */
  readonly failedAgain: number;
}

const keyOf = ({ partition, offset }: Place): string => `${partition}:${offset}`;

/** The events that a selection without ids means, in the order of the topic: an order comes before its refunds. */
export async function findEvents(letters: DeadLetters, { reason, program, from, to }: Selection): Promise<DeadEvent[]> {
  const events = new Map<string, Letter[]>();
  for await (const page of letters.list({ reason, program })) {
    for (const letter of page) {
      const madeAt = Date.parse(letter.createdAt);
      if (letter.redrivenAt !== null || madeAt < (from ?? -Infinity) || madeAt >= (to ?? Infinity)) continue;
      const same = events.get(keyOf(letter));
      if (same === undefined) events.set(keyOf(letter), [letter]);
      else same.push(letter);
    }
    // Newest first: what follows is older.
    const last = page.at(-1);
    if (last !== undefined && Date.parse(last.createdAt) < (from ?? -Infinity)) break;
  }
  const found = [...events.values()].flatMap((same) => {
    const [first] = same;
    return first === undefined ? [] : { ...placeOf(first), id: first.id, reasons: [...new Set(same.map((letter) => letter.reason))] };
  });
  return found.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

function placeOf({ partition, offset }: Place): Place {
  return { partition, offset };
}

/**
 * Reads events once more, a lane at a time in its order and the lanes side by side. Events of one partition wait for its lock
 * anyway, so lanes are partitions.
 */
export async function redriveAll(
  letters: DeadLetters,
  lanes: readonly (readonly string[])[],
  onProgress: (done: number) => void,
): Promise<Redriven> {
  const before = await newest(letters);
  const places = new Set<string>();
  let redriven = 0;
  await Promise.all(
    lanes.map(async (ids) => {
      for (const id of ids) {
        places.add(keyOf(await letters.redrive(id)));
        onProgress(++redriven);
      }
    }),
  );
  return { redriven, failedAgain: await countNewer(letters, before, places) };
}

/** The dead letters that are there before, as far as later ones must be told from them. */
async function newest(letters: DeadLetters): Promise<{ readonly at: string; readonly ids: ReadonlySet<string> }> {
  for await (const page of letters.list({ program: null, reason: null })) {
    return { at: page[0]?.createdAt ?? "", ids: new Set(page.map(({ id }) => id)) };
  }
  return { at: "", ids: new Set() };
}

/** How many of these events have a dead letter that was not there before. */
async function countNewer(
  letters: DeadLetters,
  before: { readonly at: string; readonly ids: ReadonlySet<string> },
  places: ReadonlySet<string>,
): Promise<number> {
  const failed = new Set<string>();
  for await (const page of letters.list({ program: null, reason: null })) {
    for (const letter of page) {
      if (letter.createdAt < before.at) return failed.size;
      if (!before.ids.has(letter.id) && places.has(keyOf(letter))) failed.add(keyOf(letter));
    }
  }
  return failed.size;
}
