import type { Tx } from "@perkstream/postgres";
import { type CutKey, watermarksWithout } from "./store/first-dues.ts";
import {
  type DueKey,
  dueLots,
  type LotKey,
  lotOf,
  type LotRow,
  lotsById,
  type UseKey,
  usableLots,
  watermarksBeyond,
} from "./store/lots.ts";
import { DAY_MS, mayBeDue, type Rules } from "./domain/index.ts";
import type { AccountState } from "./store/accounts.ts";
import { dueReservations, partsOf, type PartRow, redemptionOf, type RedemptionRow, redemptionsOfOrders } from "./store/redemptions.ts";

/** What the decisions about one customer need beside the account row. */
export interface CustomerNeed {
  readonly state: AccountState;
  readonly rules: Rules;
  /** Nothing of this transaction has a later as-of (ms), but for the customer's own last as-of. */
  until: number;
  /** Lots of refunded orders: what their awards are worth now must be found. */
  readonly ownLots: Map<number, bigint>;
  /** Orders whose redemptions may be put back. */
  readonly orderIds: Set<string>;
  /** A redemption by its row, with its lots: of a command. */
  readonly redemptions: RedemptionRow[];
  /** Available lots worth so much are wanted: of a redemption. */
  needMinor: bigint;
  /** Of what is due these lots only; null for all. */
  readonly dueLots: readonly number[] | null;
}

export function customerNeed(state: AccountState, rules: Rules, until: number): CustomerNeed {
  return { state, rules, until, ownLots: new Map(), orderIds: new Set(), redemptions: [], needMinor: 0n, dueLots: null };
}

/** What of a customer is due by `until` (ms), by the rules. */
export function dueKey(acct: number, until: number, { expiringNoticeDays }: Rules): DueKey {
  return { acct, until, announceUntil: until + expiringNoticeDays * DAY_MS };
}

/**
 * Loads lots and redemptions as far as they are needed (see domain/customer.ts); a plain order needs none. `campaignId` names a
 * campaign of a merchant.
 */
export async function loadCustomers(
  tx: Tx,
  needs: Iterable<CustomerNeed>,
  campaignId: (merchant: number, campaign: number) => string,
): Promise<void> {
  const byAcct = new Map<number, CustomerNeed>();
  const due: DueKey[] = [];
  const cut: CutKey[] = [];
  for (const need of needs) {
    const { customer } = need.state;
    byAcct.set(customer.acct, need);
    const until = Math.max(need.until, customer.lastAsOf);
    if (!mayBeDue(customer, until, need.rules)) continue;
    if (need.dueLots === null) due.push(dueKey(customer.acct, until, need.rules));
    else cut.push({ acct: customer.acct, until, lots: need.dueLots });
  }
  const put = (rows: readonly LotRow[]) => {
    for (const row of rows) {
      const state = byAcct.get(Number(row.acct))?.state;
      const lotId = Number(row.lot_id);
      if (state !== undefined && !state.customer.lots.has(lotId)) {
        state.customer.lots.set(lotId, lotOf(row, campaignId(state.merchant, row.campaign)));
      }
    }
  };
  const orders = [...byAcct].flatMap(([acct, { orderIds }]) => [...orderIds].map((orderId) => ({ acct, orderId })));
  const [dueRows, cutRows, watermarks, ofCut, lapsing, named] = await Promise.all([
    dueLots(tx, due),
    lotsById(
      tx,
      cut.flatMap(({ acct, lots }) => lots.map((lot) => ({ acct, lot }))),
    ),
    watermarksBeyond(tx, due),
    watermarksWithout(tx, cut),
    dueReservations(tx, [...due, ...cut]),
    redemptionsOfOrders(tx, orders),
  ]);
  put(dueRows);
  put(cutRows);
  for (const [acct, { dueAt, unannouncedAt }] of [...watermarks, ...ofCut]) {
    const customer = byAcct.get(acct)?.state.customer;
    if (customer === undefined) continue;
    customer.elsewhereDueAt = dueAt;
    customer.elsewhereUnannouncedAt = unannouncedAt;
  }
  const redemptions = [...lapsing, ...named, ...[...byAcct.values()].flatMap((need) => need.redemptions)];
  const parts = await partsOf(tx, redemptions);
  put(await lotsById(tx, wantedLots(byAcct, redemptions, parts)));
  attach(byAcct, redemptions, parts);
  put(await usableLots(tx, shortages(byAcct)));
}

function wantedLots(byAcct: ReadonlyMap<number, CustomerNeed>, redemptions: readonly RedemptionRow[], parts: readonly PartRow[]): LotKey[] {
  const owner = new Map(redemptions.map((row) => [Number(row.seq), Number(row.acct)]));
  const keys = new Map<number, LotKey>();
  const want = (acct: number, lot: number) => {
    if (byAcct.get(acct)?.state.customer.lots.has(lot) !== true) keys.set(lot, { acct, lot });
  };
  for (const [acct, { ownLots }] of byAcct) for (const lot of ownLots.keys()) want(acct, lot);
  for (const part of parts) want(owner.get(Number(part.redemption)) ?? 0, Number(part.lot));
  return [...keys.values()];
}

function attach(byAcct: ReadonlyMap<number, CustomerNeed>, redemptions: readonly RedemptionRow[], parts: readonly PartRow[]): void {
  const partsBySeq = Map.groupBy(parts, (part) => part.redemption);
  for (const row of redemptions) {
    const customer = byAcct.get(Number(row.acct))?.state.customer;
    if (customer === undefined || customer.redemptions.has(row.redemption_id)) continue;
    const own = (partsBySeq.get(row.seq) ?? []).map(({ lot: lotId, amount, restored }) => {
      const lot = customer.lots.get(Number(lotId));
      if (lot === undefined) throw new Error(`lot ${lotId} of redemption ${row.redemption_id} is missing`);
      return { lot, amountMinor: amount, restoredMinor: restored };
    });
    customer.redemptions.set(row.redemption_id, redemptionOf(row, own));
  }
}

/**
 * How much of other lots clawbacks may take at most: what the awards are worth beyond what their own lots still hold. A clawback
 * that takes from another refunded award's lot makes that one's shortage as much bigger as its own gets smaller, so the sum is a bound.
 */
function shortages(byAcct: ReadonlyMap<number, CustomerNeed>): UseKey[] {
  const keys: UseKey[] = [];
  for (const [acct, { state, ownLots, needMinor }] of byAcct) {
    const { customer } = state;
    if (customer.availableMinor === 0n) continue;
    let shortMinor = needMinor;
    for (const [lotId, currentMinor] of ownLots) {
      const lot = customer.lots.get(lotId);
      if (lot === undefined) throw new Error(`lot ${lotId} is missing`);
      const heldMinor = lot.pendingMinor + lot.availableMinor + lot.expiredMinor;
      if (currentMinor > heldMinor) shortMinor += currentMinor - heldMinor;
    }
    if (shortMinor > 0n) keys.push({ acct, needMinor: shortMinor, loaded: customer.lots });
  }
  return keys;
}
