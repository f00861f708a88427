import type { z } from "@hono/zod-openapi";
import type { LadderJson, LevelJson } from "@perkstream/tier";
import { type FieldError, refuse, type Refusal } from "../../errors.ts";
import { type ladderBody, type levelBody, type levelPatch, MAX_LEVELS } from "../../schemas/ladder.ts";

/** A ladder without its version: what an edit stores. */
export type LadderContent = Pick<LadderJson, "settings" | "levels">;

type LevelBody = z.output<typeof levelBody>;

const levelOf = ({ id, name, threshold, cashbackMultiplierBps }: LevelBody, newId: () => string): LevelJson => {
  const own = id ?? newId();
  return { id: own, name: name ?? own, threshold, cashbackMultiplierBps };
};

/** The ladder of a PUT, or what is wrong with its levels. */
export function ladderFrom(body: z.output<typeof ladderBody>, newId: () => string): LadderContent | Refusal {
  const levels = body.levels.map((level) => levelOf(level, newId));
  return refuseLevels(levels) ?? { settings: body.settings, levels };
}

/** The ladder with one more level, at its place by threshold; 409 `id_taken` when the id is there. */
export function withLevel(ladder: LadderContent, body: LevelBody, newId: () => string): LadderContent | Refusal {
  const added = levelOf(body, newId);
  if (ladder.levels.some(({ id }) => id === added.id)) return refuse("id_taken", `there is a level ${added.id}`);
  if (ladder.levels.length >= MAX_LEVELS) return refuse("invalid_request", `a ladder has at most ${MAX_LEVELS} levels`);
  return inOrder(ladder, [...ladder.levels, added]);
}

/** The ladder with one level changed; 404 when it is not there. */
export function withChangedLevel(ladder: LadderContent, levelId: string, patch: z.output<typeof levelPatch>): LadderContent | Refusal {
  if (!ladder.levels.some(({ id }) => id === levelId)) return refuse("not_found", `there is no level ${levelId}`);
  const change = (level: LevelJson): LevelJson => ({
    id: level.id,
    name: patch.name ?? level.name,
    threshold: patch.threshold ?? level.threshold,
    cashbackMultiplierBps: patch.cashbackMultiplierBps ?? level.cashbackMultiplierBps,
  });
  return inOrder(
    ladder,
    ladder.levels.map((level) => (level.id === levelId ? change(level) : level)),
  );
}

/** The ladder without one level; 404 when it is not there. */
export function withoutLevel(ladder: LadderContent, levelId: string): LadderContent | Refusal {
  const levels = ladder.levels.filter(({ id }) => id !== levelId);
  if (levels.length === ladder.levels.length) return refuse("not_found", `there is no level ${levelId}`);
  return { settings: ladder.settings, levels };
}

function inOrder(ladder: LadderContent, unordered: readonly LevelJson[]): LadderContent | Refusal {
  const levels = unordered.toSorted((a, b) => a.threshold - b.threshold);
  return refuseLevels(levels, "threshold") ?? { settings: ladder.settings, levels };
}

/** Thresholds must rise strictly and ids be different; `path` names the field when only one level was given. */
function refuseLevels(levels: readonly LevelJson[], path?: string): Refusal | null {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  levels.forEach((level, at) => {
    const before = levels[at - 1];
    if (before !== undefined && level.threshold <= before.threshold)
      errors.push({ path: path ?? `levels.${at}.threshold`, message: "thresholds must rise strictly" });
    if (seen.has(level.id)) errors.push({ path: `levels.${at}.id`, message: `the id ${level.id} is there twice` });
    seen.add(level.id);
  });
  const [first] = errors;
  return first === undefined ? null : refuse("invalid_request", `${first.path}: ${first.message}`, errors);
}
