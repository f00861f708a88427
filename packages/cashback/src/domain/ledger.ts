/** Accounts of a transfer; the first four are a customer's, the others a merchant's. The numbers are stored. */
export const account = {
  pending: 1,
  available: 2,
  reserved: 3,
  debt: 4,
  cost: 5,
  redeemed: 6,
  breakage: 7,
  writtenOff: 8,
} as const;
export type Account = (typeof account)[keyof typeof account];

export const accountNames: Readonly<Record<Account, string>> = {
  1: "pending",
  2: "available",
  3: "reserved",
  4: "debt",
  5: "cost",
  6: "redeemed",
  7: "breakage",
  8: "written_off",
};

/** Kinds of a transfer. The numbers are stored. */
export const kind = {
  award: 1,
  holdEnded: 2,
  reserve: 3,
  release: 4,
  redeem: 5,
  expire: 6,
  clawback: 7,
  debtPaid: 8,
  putBack: 9,
} as const;
export type Kind = (typeof kind)[keyof typeof kind];

export const kindNames: Readonly<Record<Kind, string>> = {
  1: "award",
  2: "hold_ended",
  3: "reserve",
  4: "release",
  5: "redeem",
  6: "expire",
  7: "clawback",
  8: "debt_paid",
  9: "put_back",
};

/** What made a transfer: an event of the log, a command, or a moment that came (ms). */
export type Cause = { readonly partition: number; readonly offset: number } | { readonly requestId: string } | { readonly due: number };
