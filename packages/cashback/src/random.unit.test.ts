import { firstDifference, hunt, type Story } from "@perkstream/reference";
import { expect, test } from "vitest";
import { levelsOf } from "./testing/levels.ts";
import { MemoryWorld } from "./testing/memory.ts";
import { domainPart, subjectOf, vectorOf } from "./testing/subject.ts";

const stories = Number(process.env["PERKS_STORIES"] ?? 750);
const firstSeed = Number(process.env["PERKS_STORY_SEED"] ?? 1);

const difference = (story: Story) =>
  firstDifference(story, (story, { world }) => subjectOf(new MemoryWorld(vectorOf(story), levelsOf(world.multipliers))), domainPart);

test(`${stories} random stories: the domain agrees with the reference model after every step`, { timeout: 0 }, async () => {
  const found = await hunt({ firstSeed, stories, size: 24 }, difference);
  if (found !== null) expect.fail(found);
});
