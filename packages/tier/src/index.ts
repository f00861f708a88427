export { runTierCommand, type CommandBy, type CommandResult, type CommandTarget, type TierCommand } from "./commands.ts";
export type { Apply, ChangeReason, Metric, Refusal, Window } from "./domain/index.ts";
export {
  newestLadder,
  previewLadder,
  putLadder,
  type LadderChange,
  type LadderJson,
  type LevelJson,
  type PreviewCounts,
  type SettingsJson,
} from "./edit-ladder.ts";
export { createLevels, NO_MULTIPLIER_BPS, type LevelAnswer, type LevelQuestion, type Levels, type OrderQuestion } from "./levels.ts";
export { migrations } from "./migrations.ts";
export { createTierProgram, type TierChunk, type TierProgramOptions } from "./program.ts";
export {
  customersByLevel,
  customerTier,
  customerTiers,
  listCustomerTiers,
  orderTierEffect,
  pendingEdits,
  tierCounts,
  tierHistory,
  type CustomerTier,
  type TierHistoryEntry,
} from "./queries.ts";
export { forgetDueMoments } from "./sweep.ts";
export * from "./verify/index.ts";
