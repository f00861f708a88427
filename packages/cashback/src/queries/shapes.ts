import { type Account, accountNames, type Kind, kindNames } from "../domain/index.ts";

/** Shapes of the merchant API: amounts as numbers, times ISO 8601. */
export interface CashbackView {
  readonly pendingMinor: number;
  readonly availableMinor: number;
  readonly reservedMinor: number;
  readonly debtMinor: number;
  readonly balanceMinor: number;
  readonly nextExpiry: { readonly amountMinor: number; readonly at: string } | null;
}

export const noCashback: CashbackView = {
  pendingMinor: 0,
  availableMinor: 0,
  reservedMinor: 0,
  debtMinor: 0,
  balanceMinor: 0,
  nextExpiry: null,
};

export interface LotView {
  readonly orderId: string;
  readonly campaignId: string;
  readonly grantedMinor: number;
  readonly pendingMinor: number;
  readonly availableMinor: number;
  readonly reservedMinor: number;
  readonly redeemedMinor: number;
  readonly expiredMinor: number;
  readonly reversedMinor: number;
  readonly availableAt: string;
  readonly expiresAt: string | null;
}

export type CauseView =
  | { readonly topic: string; readonly partition: number; readonly offset: number }
  | { readonly requestId: string }
  | { readonly due: string };

export interface TransferView {
  readonly id: number;
  readonly debit: string;
  readonly credit: string;
  readonly amountMinor: number;
  readonly kind: string;
  readonly orderId: string;
  readonly campaignId: string;
  readonly cause: CauseView;
  readonly asOf: string;
}

/** A page: newest first. `next` goes into `before` of the next page; null at the end. */
export interface Page<T> {
  readonly data: readonly T[];
  readonly next: number | null;
}

export function isoTime(value: Date): string {
  return value.toISOString();
}

export function isoOrNull(value: Date | null): string | null {
  return value === null ? null : value.toISOString();
}

export function accountName(code: number): string {
  return accountNames[code as Account];
}

export function kindName(code: number): string {
  return kindNames[code as Kind];
}
