import type { Story, StoryStep } from "./types.ts";

/** Drops steps, then campaigns, as long as the story still fails: large pieces first, in the end one by one. Then plainer settings. */
export async function shrink(story: Story, fails: (story: Story) => Promise<boolean> | boolean): Promise<Story> {
  let small: Story = story;
  for (let before = -1; before !== weight(small);) {
    before = weight(small);
    small = await dropPieces(small, small.steps, (steps) => ({ ...small, steps }), fails);
    small = await dropPieces(small, small.campaigns, (campaigns) => ({ ...small, campaigns }), fails);
  }
  for (const plain of plainer) {
    const candidate = plain(small);
    if (await fails(candidate)) small = candidate;
  }
  return small;
}

const plainer: readonly ((story: Story) => Story)[] = [
  (story) => ({ ...story, ladder: { ...story.ladder, levels: [] } }),
  (story) => ({ ...story, merchant: { ...story.merchant, timeZone: "UTC" } }),
  (story) => ({ ...story, merchant: { ...story.merchant, currency: "USD" } }),
  (story) => ({ ...story, merchant: { ...story.merchant, expiringNoticeDays: 0 } }),
  (story) => ({ ...story, merchant: { ...story.merchant, clawbackPolicy: "allow_negative" } }),
];

function weight({ steps, campaigns }: Story): number {
  return steps.length + campaigns.length;
}

async function dropPieces<T>(
  story: Story,
  items: readonly T[],
  rebuilt: (items: readonly T[]) => Story,
  fails: (story: Story) => Promise<boolean> | boolean,
): Promise<Story> {
  let kept = items;
  let smallest = story;
  for (let size = Math.max(1, kept.length >> 1); size >= 1; size = size === 1 ? 0 : size >> 1) {
    for (let from = kept.length - size; from >= 0; from -= size) {
      const fewer = [...kept.slice(0, from), ...kept.slice(from + size)];
      const candidate = rebuilt(fewer);
      if (!(await fails(candidate))) continue;
      kept = fewer;
      smallest = candidate;
    }
  }
  return smallest;
}

/** One step a line, as in vectors.json. */
export function storyText(story: Story): string {
  const { steps, ...head } = story;
  const lines = steps.map((step: StoryStep) => `  ${JSON.stringify(step)}`);
  return `${JSON.stringify(head).slice(0, -1)},"steps":[\n${lines.join(",\n")}\n]}`;
}
