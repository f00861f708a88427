// Made by `npm run schemas -- generate` from schemas/; do not edit.
import type { RecordCodec } from "../codec.ts";
import { type CashbackAvailable, cashbackAvailableCodec } from "./CashbackAvailable.ts";
import { type CashbackEarned, cashbackEarnedCodec } from "./CashbackEarned.ts";
import { type CashbackExpired, cashbackExpiredCodec } from "./CashbackExpired.ts";
import { type CashbackExpiring, cashbackExpiringCodec } from "./CashbackExpiring.ts";
import { type CashbackRedeemed, cashbackRedeemedCodec } from "./CashbackRedeemed.ts";
import { type CashbackReversed, cashbackReversedCodec } from "./CashbackReversed.ts";
import { type RewardEarned, rewardEarnedCodec } from "./RewardEarned.ts";
import { type StampAdded, stampAddedCodec } from "./StampAdded.ts";
import { type TierChanged, tierChangedCodec } from "./TierChanged.ts";

export type { CashbackAvailable } from "./CashbackAvailable.ts";
export type { CashbackEarned } from "./CashbackEarned.ts";
export type { CashbackExpired } from "./CashbackExpired.ts";
export type { CashbackExpiring } from "./CashbackExpiring.ts";
export type { CashbackRedeemed } from "./CashbackRedeemed.ts";
export type { CashbackReversed } from "./CashbackReversed.ts";
export type { RewardEarned } from "./RewardEarned.ts";
export type { StampAdded } from "./StampAdded.ts";
export type { TierChanged, TierDirection } from "./TierChanged.ts";

/** The record types of topic notifications.v1, by name. */
export interface NotificationsRecords {
  readonly CashbackAvailable: CashbackAvailable;
  readonly CashbackEarned: CashbackEarned;
  readonly CashbackExpired: CashbackExpired;
  readonly CashbackExpiring: CashbackExpiring;
  readonly CashbackRedeemed: CashbackRedeemed;
  readonly CashbackReversed: CashbackReversed;
  readonly RewardEarned: RewardEarned;
  readonly StampAdded: StampAdded;
  readonly TierChanged: TierChanged;
}

export const notificationsCodecs: { readonly [T in keyof NotificationsRecords]: RecordCodec<NotificationsRecords[T]> } = {
  CashbackAvailable: cashbackAvailableCodec,
  CashbackEarned: cashbackEarnedCodec,
  CashbackExpired: cashbackExpiredCodec,
  CashbackExpiring: cashbackExpiringCodec,
  CashbackRedeemed: cashbackRedeemedCodec,
  CashbackReversed: cashbackReversedCodec,
  RewardEarned: rewardEarnedCodec,
  StampAdded: stampAddedCodec,
  TierChanged: tierChangedCodec,
};
