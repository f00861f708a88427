import { DAY_MS, type LocalCalendar } from "./calendar.ts";
import type { Expiry } from "./campaign.ts";

/**
 * One award of one order. Always granted = pending + available + reserved + redeemed + expired + reversed.
 *
 *            hold ends             reserve            commit
 *   pending ───────────► available ───────► reserved ───────► redeemed
 *      │                  │  │  ▲ ◄─────── release              │
 *      │ clawback         │  │  └────────── put back ───────────┘
 *      ▼                  │  └─► expired ─┐ clawback
 *   reversed ◄────────────┘ ◄─────────────┘     (a debt that is paid counts as reversed)
 */
export interface Lot {
  /** Rises in the order of granting within a partition. */
  readonly lotId: number;
  readonly orderId: string;
  readonly campaign: number;
  readonly campaignId: string;
  readonly grantedMinor: bigint;
  pendingMinor: bigint;
  availableMinor: bigint;
  reservedMinor: bigint;
  redeemedMinor: bigint;
  expiredMinor: bigint;
  reversedMinor: bigint;
  readonly availableAt: number;
  expiresAt: number | null;
  /** The notice before expiry was sent. */
  noticed: boolean;
  /** Set by whatever changes the lot. */
  dirty: boolean;
}

/** When a lot of a campaign version ends its hold. Days are 24 hours. */
export function availableAt(occurredAt: number, holdDays: number): number {
  return occurredAt + holdDays * DAY_MS;
}

/** When a lot expires: the first instant at which it is not available any more; null for never. */
export function expiresAt(expiry: Expiry, available: number, calendar: LocalCalendar): number | null {
  switch (expiry.type) {
    case "never":
      return null;
    case "days":
      return available + expiry.days * DAY_MS;
    case "end_of_month": {
      const month = calendar.startOfMonth(calendar.localDay(available));
      return calendar.startOfDay(calendar.addMonths(month, expiry.months + 1));
    }
  }
}

/** The order of use: what expires next, then what was granted first. */
export function byUse(a: Lot, b: Lot): number {
  if (a.expiresAt !== b.expiresAt) {
    if (a.expiresAt === null) return 1;
    if (b.expiresAt === null) return -1;
    return a.expiresAt - b.expiresAt;
  }
  return a.lotId - b.lotId;
}

export function hasExpired(lot: Lot, at: number): boolean {
  return lot.expiresAt !== null && lot.expiresAt <= at;
}

/** The sum of a lot's states, which is always what was granted. */
export function accountedMinor(lot: Lot): bigint {
  return lot.pendingMinor + lot.availableMinor + lot.reservedMinor + lot.redeemedMinor + lot.expiredMinor + lot.reversedMinor;
}
