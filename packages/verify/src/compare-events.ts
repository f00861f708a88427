import type { Booked } from "@perkstream/orders";
import { parseInt8Array, parseMinorArray } from "@perkstream/postgres";
import type { TellCustomer } from "./customer-report.ts";
import { differingFields, type Fields, shownAt, shownDay } from "./difference.ts";
import type { ReplayedRefund } from "./replay-ledger.ts";
import type { OrderRow, RefundRow } from "./stored.ts";

/** The columns of an order that every program has, when nothing more will change them. */
export function compareOrder({ order }: Booked<unknown>, row: OrderRow, tell: TellCustomer): void {
  const { storedRemaining, place, cancelled } = order;
  const isPlain = storedRemaining === null && row.remaining === null && row.cancelled === cancelled;
  if (isPlain && row.local_day === place.localDay && row.merchant === place.merchant) return;
  const differing = differingFields(
    {
      merchant: place.merchant,
      localDate: shownDay(place.localDay),
      remaining: storedRemaining === null ? null : storedRemaining.join(","),
      cancelled,
    },
    {
      merchant: row.merchant,
      localDate: shownDay(row.local_day),
      remaining: row.remaining === null ? null : parseMinorArray(row.remaining).join(","),
      cancelled: row.cancelled,
    },
  );
  if (differing !== null) tell({ thing: "order", problem: "changed", where: { order: order.orderId }, ...differing });
}

/** The columns of a refund that every program has. */
export function compareRefund(
  { refund, position, asOf, booked }: ReplayedRefund<unknown, unknown>,
  row: RefundRow,
  tell: TellCustomer,
): void {
  const expected: Fields = {
    position,
    asOf: shownAt(asOf),
    lines: refund.lines.map(({ line }) => line).join(","),
    amounts: refund.lines.map(({ amountMinor }) => amountMinor).join(","),
  };
  const differing = differingFields(expected, refundFields(row));
  const where = { order: booked.order.orderId, refund: row.refund_id };
  if (differing !== null) tell({ thing: "refund", problem: "changed", where, ...differing });
}

export function refundFields(row: RefundRow): Fields {
  return {
    position: row.position,
    asOf: shownAt(row.as_of.getTime()),
    lines: parseInt8Array(row.lines).join(","),
    amounts: parseMinorArray(row.amounts).join(","),
  };
}
