import type { Merchant } from "@perkstream/merchant";
import type { Notice } from "@perkstream/program";
import type { Fields, Problem, ReplayPlace, Where } from "@perkstream/verify";
import type { NoticeValue, Transfer } from "../domain/index.ts";
import type { MerchantCampaigns } from "../store/campaigns.ts";
import type { Held } from "../work.ts";

/** What a replay itself compares. */
type Thing = "order" | "award" | "cap" | "refund" | "applied" | "number";

export interface CashbackReplayOptions {
  /** The merchant as it was known at a place. */
  readonly merchantAt: (place: ReplayPlace) => Merchant;
  /** Whether any settings send notices before an expiry. */
  readonly announces: boolean;
  readonly campaigns: MerchantCampaigns;
  readonly acct: number;
  readonly customerId: string;
  readonly isRefunded: (orderId: string) => boolean;
  /** The multiplier of the level held before an order, by tier's own replay. */
  readonly multiplierAt: (partition: number, offset: number) => number;
  /** The same of an order that tier read once more; null for any other. */
  readonly multiplierBefore: (orderId: string) => number | null;
  readonly differs: (thing: Thing, problem: Problem, where: Where, expected: Fields | null, found: Fields | null) => void;
  readonly transfer: (transfer: Transfer) => void;
  readonly encode: (held: Held, notice: NoticeValue) => Notice;
  readonly used: (campaign: number, version: number, amountMinor: bigint) => void;
  readonly settle: () => Promise<void>;
}
