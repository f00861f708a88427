import { openModel, reorderedStories, type Step, type Story } from "@perkstream/reference";
import { beforeAll, expect, test } from "vitest";
import { MemoryPlayer, noticeCodec, type NoticeCodec } from "./testing/memory-player.ts";
import { openSubject } from "./testing/subject.ts";

const SEEDS = 100;

let codec: NoticeCodec;

beforeAll(async () => {
  codec = await noticeCodec();
});

async function endOf(story: Story): Promise<object> {
  const model = openModel(story);
  const subject = await openSubject(story, model, (vector) => new MemoryPlayer(vector, codec));
  for (const step of story.steps as readonly Step[]) {
    model.apply(step);
    await subject.apply(step);
  }
  const { customers, orders, parked } = await subject.look();
  const standings = Object.entries(customers as Record<string, { tier: string | null; metric: number; lastPeriodMetric: number | null }>);
  return {
    orders,
    parked,
    customers: Object.fromEntries(standings.map(([id, { tier, metric, lastPeriodMetric }]) => [id, { tier, metric, lastPeriodMetric }])),
  };
}

test(
  "events in any order, repeated and before their orders, end in the same metric and level (programs.md, rule 1)",
  { timeout: 120_000 },
  async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const [first, ...others] = await Promise.all(reorderedStories(seed).map(endOf));
      for (const other of others) expect({ seed, ...other }).toEqual({ seed, ...first });
    }
  },
);
