export { type LevelsOfCustomer, type TierVerification, TierVerifier } from "./verifier.ts";
export type { RuleClocks } from "./known-rules.ts";
export { verifyEdits } from "./edits.ts";
