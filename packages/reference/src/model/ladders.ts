import type { Ladder, LadderEdit } from "../story/types.ts";
import { afterEdit } from "./edits.ts";
import { directionOf, keep } from "./tiers.ts";
import { groundOf, ladderOf, type World } from "./world.ts";

/** Every customer at once: what is due under the old rules, then the new version. */
export function editLadder(world: World, edit: LadderEdit): void {
  const old = ladderOf(world);
  const cause = { offset: world.nextOffset };
  const edited = [...world.members].map(([customerId, member]) => ({
    customerId,
    ...afterEdit(groundOf(world, customerId), edit, member, world.clock),
  }));
  for (const { customerId, due } of edited) keep(world, customerId, due, cause);
  world.ladders.push({ settings: edit.settings, levels: edit.levels });
  for (const { customerId, edit } of edited) keep(world, customerId, edit, cause, old);
}

/** How many would go up, down and stay; nothing is kept. A removed level and one of equal threshold: down. */
export function previewLadder(world: World, edit: LadderEdit): void {
  const counts = { up: 0, down: 0, stay: 0 };
  const old = ladderOf(world);
  for (const [customerId, member] of world.members) {
    const { due, edit: after } = afterEdit(groundOf(world, customerId), edit, member, world.clock);
    if (after.member.level === due.member.level) counts.stay += 1;
    else if (isUp(old, edit, due.member.level, after.member.level)) counts.up += 1;
    else counts.down += 1;
  }
  world.previews.push(counts);
}

function isUp(old: Ladder, edit: Ladder, from: string | null, to: string | null): boolean {
  const left = [...edit.levels, ...old.levels].find(({ id }) => id === from) ?? null;
  const entered = edit.levels.find(({ id }) => id === to) ?? null;
  return directionOf(left, entered) === "PROMOTED";
}
