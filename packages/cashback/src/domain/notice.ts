/** Where the id of a notice comes from (protocols: an event, a command, or a lot with the moment that came). */
export type NoticeCause =
  | { readonly partition: number; readonly offset: number }
  | { readonly requestId: string }
  | { readonly orderId: string; readonly campaignId: string; readonly at: number };

interface Common {
  readonly cause: NoticeCause;
  /** Tells notices of one type and cause apart. */
  readonly n: number;
  readonly customerId: string;
  readonly occurredAt: number;
  readonly orderId: string | null;
  readonly amountMinor: bigint;
}

/** A notification as a value: everything but merchant, currency and the id's hash. */
export type NoticeValue =
  | (Common & {
      readonly type: "CashbackEarned";
      readonly campaigns: readonly string[];
      readonly availableAt: number;
      readonly expiresAt: number | null;
      readonly balanceMinor: bigint;
    })
  | (Common & { readonly type: "CashbackExpiring"; readonly expiresAt: number })
  | (Common & {
      readonly type: "CashbackAvailable" | "CashbackExpired" | "CashbackReversed" | "CashbackRedeemed";
      readonly balanceMinor: bigint;
    });
