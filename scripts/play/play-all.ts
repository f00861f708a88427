import { type Outcome, playStory } from "./play-story.ts";
import type { Surroundings } from "./session.ts";
import type { Story } from "./story.ts";

/** Plays stories, so many at once, in their order; tells each outcome as it comes. Rejects when the product cannot be reached. */
export async function playAll(
  stories: readonly Story[],
  surroundings: Surroundings,
  { atOnce, onOutcome }: { readonly atOnce: number; onOutcome(outcome: Outcome): void },
): Promise<void> {
  const waiting = stories.values();
  const player = async () => {
    for (const story of waiting) onOutcome(await playStory(story, surroundings));
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, stories.length) }, player));
}
