import { firstDifference, hunt, splitAtRandom, tierPart, type Story } from "@perkstream/reference";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { openStage, type OpenStage } from "./testing/stage.ts";
import { openSplitSubject } from "./testing/subject.ts";

const stories = Number(process.env["PERKS_DRIVER_STORIES"] ?? 30);
const firstSeed = Number(process.env["PERKS_STORY_SEED"] ?? 1);
const stepsPerLook = 8;

let stage: OpenStage;

beforeAll(async () => {
  stage = await openStage(inject("stack").postgresUrl);
});

afterAll(() => stage.close());

const difference = (story: Story, seed: number) =>
  firstDifference(
    story,
    async (story, model) => splitAtRandom(await openSplitSubject(story, model, stage), seed),
    (snapshot, model) => ({ ...tierPart(snapshot, model), multipliers: Object.fromEntries(model.world.multipliers) }),
    (position) => position % stepsPerLook === 0,
  );

test(
  `${stories} random stories: the program agrees with the reference model, wherever chunks end and it restarts`,
  { timeout: 0 },
  async () => {
    const found = await hunt({ firstSeed, stories }, difference);
    if (found !== null) expect.fail(found);
  },
);
