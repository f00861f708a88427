import { firstDifference, hunt, tierPart, type Story } from "@perkstream/reference";
import { beforeAll, expect, test } from "vitest";
import { MemoryPlayer, noticeCodec, type NoticeCodec } from "./testing/memory-player.ts";
import { openSubject } from "./testing/subject.ts";

const stories = Number(process.env["PERKS_STORIES"] ?? 750);
const firstSeed = Number(process.env["PERKS_STORY_SEED"] ?? 1);

let codec: NoticeCodec;

beforeAll(async () => {
  codec = await noticeCodec();
});

const difference = (story: Story) =>
  firstDifference(story, (story, model) => openSubject(story, model, (vector) => new MemoryPlayer(vector, codec)), tierPart);

test(`${stories} random stories: the domain agrees with the reference model after every step`, { timeout: 0 }, async () => {
  const found = await hunt({ firstSeed, stories, size: 24 }, difference);
  if (found !== null) expect.fail(found);
});
