import type { Difference } from "./compare.ts";
import { randomStory, type StoryOptions } from "./random-story.ts";
import { shrink, storyText } from "./shrink.ts";
import type { Story } from "./types.ts";

export interface Hunt extends StoryOptions {
  readonly firstSeed: number;
  readonly stories: number;
}

/**
 * Plays random stories until one differs.
 * @returns null when all agree, else the seed, what differs, and the smallest story found that still differs, ready to become a vector
 */
export async function hunt(
  { firstSeed, stories, ...options }: Hunt,
  differenceIn: (story: Story, seed: number) => Promise<Difference | null>,
): Promise<string | null> {
  for (let seed = firstSeed; seed < firstSeed + stories; seed += 1) {
    const story = randomStory(seed, options);
    if ((await differenceIn(story, seed)) === null) continue;
    const small = await shrink(story, async (candidate) => (await differenceIn(candidate, seed)) !== null);
    return `seed ${seed}: ${JSON.stringify((await differenceIn(small, seed))?.wrong)}\n${storyText(small)}`;
  }
  return null;
}
