export { verifySeals, type PartitionCounters } from "./seals.ts";
export { type CashbackVerification, CashbackVerifier, type MultiplierPort } from "./verifier.ts";
