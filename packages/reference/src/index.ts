export { openModel, playStory, type Model } from "./model/model.ts";
export type { Snapshot } from "./model/snapshot.ts";
export { mismatches, type Mismatch } from "./story/matches.ts";
export type * from "./story/types.ts";
export { withExpectations } from "./story/expectations.ts";
export { randomStory, type StoryOptions } from "./story/random-story.ts";
export { hunt, type Hunt } from "./story/hunt.ts";
export {
  cashbackPart,
  differences,
  firstDifference,
  tierPart,
  type Difference,
  type Part,
  type Subject,
  type View,
} from "./story/compare.ts";
export { reorderedStories } from "./story/reordered.ts";
export { splitAtRandom, type SplitSubject } from "./story/split.ts";
