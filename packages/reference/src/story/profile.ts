import type { Random } from "./random.ts";

/** What a story is mostly about: shares of a hundred. Stories that try everything at once seldom go deep anywhere. */
export interface Profile {
  readonly hasCampaigns: boolean;
  readonly hasLevels: boolean;
  readonly isGenerous: boolean;
  /** How many. */
  readonly orderIds: readonly number[];
  /** Of all steps. */
  readonly events: readonly number[];
  readonly commands: { readonly sweep: number; readonly spend: number; readonly end: number; readonly pin: number; readonly edit: number };
  /** What is left of a hundred is broken. */
  readonly kinds: {
    readonly order: number;
    readonly refund: number;
    readonly cancel: number;
    readonly again: number;
    readonly ahead: number;
    readonly copies: number;
  };
}

const mixed: Profile = {
  hasCampaigns: true,
  hasLevels: true,
  isGenerous: false,
  orderIds: [3, 10, 40, 40],
  events: [90, 70, 50, 35],
  commands: { sweep: 20, spend: 26, end: 20, pin: 14, edit: 12 },
  kinds: { order: 46, refund: 24, cancel: 6, again: 10, ahead: 6, copies: 3 },
};

const tiers: Profile = {
  hasCampaigns: false,
  hasLevels: true,
  isGenerous: false,
  orderIds: [10, 40],
  events: [80, 60, 60, 40],
  commands: { sweep: 35, spend: 0, end: 0, pin: 25, edit: 40 },
  kinds: { order: 62, refund: 18, cancel: 5, again: 4, ahead: 7, copies: 3 },
};

const cashback: Profile = {
  hasCampaigns: true,
  hasLevels: false,
  isGenerous: true,
  orderIds: [4, 8, 16, 40],
  events: [70, 60, 50],
  commands: { sweep: 15, spend: 45, end: 32, pin: 0, edit: 0 },
  kinds: { order: 50, refund: 28, cancel: 7, again: 4, ahead: 7, copies: 3 },
};

export function randomProfile({ pick }: Random): Profile {
  return pick([mixed, tiers, cashback, cashback]);
}
