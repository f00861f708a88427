import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mismatches } from "../story/matches.ts";
import type { StoryFile } from "../story/types.ts";
import { openModel } from "./model.ts";

const vectors = ["vectors.json", "found.json"].flatMap((name) => {
  const file = new URL(`../../../../vectors/${name}`, import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as StoryFile).vectors;
});

test.each(vectors.map((vector) => [`${vector.id} ${vector.title}`, vector] as const))("%s", (_, vector) => {
  const model = openModel(vector);
  let checked = 0;
  for (const step of vector.steps) {
    if ("expect" in step)
      expect({ step: (checked += 1), wrong: mismatches(step.expect, model.look()) }).toEqual({ step: checked, wrong: [] });
    else model.apply(step);
  }
  expect(checked).toBeGreaterThan(0);
});
