import { type AlignmentRules, differingFields, type Fields, shownAt, type TellCustomer } from "@perkstream/verify";
import { accountNames, kindNames, type Lot, type Transfer } from "../domain/index.ts";
import type { LotRow } from "../store/lots.ts";
import type { TransferRow } from "./rows.ts";

/** How expected transfers are compared with the stored rows of an account. */
export function transferRules(acct: number, tell: TellCustomer): AlignmentRules<Transfer, TransferRow> {
  return {
    same: ({ lot, debit, credit, kind, amountMinor, asOf, cause }, row) =>
      Number(row.lot) === lot.lotId &&
      row.debit === debit &&
      row.credit === credit &&
      row.kind === kind &&
      row.amount === amountMinor &&
      row.as_of.getTime() === asOf &&
      ("offset" in cause ? Number(row.off) === cause.offset && row.off !== null : row.off === null) &&
      row.request_id === ("requestId" in cause ? cause.requestId : null),
    akin: ({ lot, kind, asOf }, row) => row.kind === kind && (Number(row.lot) === lot.lotId || row.as_of.getTime() === asOf),
    belongs: (row) => Number(row.acct) === acct,
    missing: (transfer) =>
      tell({
        thing: "transfer",
        problem: "missing",
        where: { order: transfer.lot.orderId, campaign: transfer.lot.campaignId },
        expected: expectedTransfer(transfer),
        found: null,
      }),
    unexpected: (row) =>
      tell({ thing: "transfer", problem: "unexpected", where: { transfer: Number(row.id) }, expected: null, found: foundTransfer(row) }),
    changed: (transfer, row) => {
      const differing = differingFields(expectedTransfer(transfer), foundTransfer(row));
      if (differing !== null)
        tell({
          thing: "transfer",
          problem: "changed",
          where: { transfer: Number(row.id), order: transfer.lot.orderId, campaign: transfer.lot.campaignId },
          ...differing,
        });
    },
  };
}

function expectedTransfer({ lot, debit, credit, kind, amountMinor, asOf, cause }: Transfer): Fields {
  return {
    kind: kindNames[kind],
    debit: accountNames[debit],
    credit: accountNames[credit],
    amount: amountMinor,
    lot: lot.lotId,
    offset: "offset" in cause ? cause.offset : null,
    request: "requestId" in cause ? cause.requestId : null,
    asOf: shownAt(asOf),
  };
}

function foundTransfer(row: TransferRow): Fields {
  const names: Readonly<Record<number, string>> = accountNames;
  const kinds: Readonly<Record<number, string>> = kindNames;
  return {
    kind: kinds[row.kind] ?? row.kind,
    debit: names[row.debit] ?? row.debit,
    credit: names[row.credit] ?? row.credit,
    amount: row.amount,
    lot: Number(row.lot),
    offset: row.off === null ? null : Number(row.off),
    request: row.request_id,
    asOf: shownAt(row.as_of.getTime()),
  };
}

/** How expected lots are compared with the stored rows of an account. */
export function lotRules(acct: number, tell: TellCustomer): AlignmentRules<Lot, LotRow> {
  return {
    same: (lot, row) =>
      Number(row.lot_id) === lot.lotId &&
      row.order_id === lot.orderId &&
      row.campaign === lot.campaign &&
      row.granted === lot.grantedMinor &&
      row.pending === lot.pendingMinor &&
      row.available === lot.availableMinor &&
      row.reserved === lot.reservedMinor &&
      row.redeemed === lot.redeemedMinor &&
      row.expired === lot.expiredMinor &&
      row.reversed === lot.reversedMinor &&
      row.available_at.getTime() === lot.availableAt &&
      (row.expires_at?.getTime() ?? null) === lot.expiresAt &&
      row.noticed === lot.noticed,
    akin: (lot, row) => Number(row.lot_id) === lot.lotId || (row.order_id === lot.orderId && row.campaign === lot.campaign),
    belongs: (row) => Number(row.acct) === acct,
    missing: (lot) =>
      tell({
        thing: "lot",
        problem: "missing",
        where: { order: lot.orderId, campaign: lot.campaignId },
        expected: lotFields(lot),
        found: null,
      }),
    unexpected: (row) =>
      tell({
        thing: "lot",
        problem: "unexpected",
        where: { order: row.order_id, lot: Number(row.lot_id) },
        expected: null,
        found: foundLot(row),
      }),
    changed: (lot, row) => {
      const differing = differingFields(lotFields(lot), foundLot(row));
      if (differing !== null)
        tell({
          thing: "lot",
          problem: "changed",
          where: { order: lot.orderId, campaign: lot.campaignId, lot: Number(row.lot_id) },
          ...differing,
        });
    },
  };
}

function lotFields(lot: Lot): Fields {
  return {
    lot: lot.lotId,
    order: lot.orderId,
    campaign: lot.campaign,
    granted: lot.grantedMinor,
    pending: lot.pendingMinor,
    available: lot.availableMinor,
    reserved: lot.reservedMinor,
    redeemed: lot.redeemedMinor,
    expired: lot.expiredMinor,
    reversed: lot.reversedMinor,
    availableAt: shownAt(lot.availableAt),
    expiresAt: shownAt(lot.expiresAt),
    noticed: lot.noticed,
  };
}

function foundLot(row: LotRow): Fields {
  return {
    lot: Number(row.lot_id),
    order: row.order_id,
    campaign: row.campaign,
    granted: row.granted,
    pending: row.pending,
    available: row.available,
    reserved: row.reserved,
    redeemed: row.redeemed,
    expired: row.expired,
    reversed: row.reversed,
    availableAt: shownAt(row.available_at.getTime()),
    expiresAt: shownAt(row.expires_at?.getTime() ?? null),
    noticed: row.noticed,
  };
}
