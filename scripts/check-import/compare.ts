import type { Snapshot } from "@perkstream/reference";
import type { CustomerAnswer, HistoryAnswer, LotAnswer, NoteAnswer } from "../play/answers.ts";
import { AnswerError, type Client } from "../play/client.ts";
import { anyOrder, differences, type Difference } from "../play/difference.ts";
import { sweptAt } from "./rules.ts";

interface OrderRow {
  readonly orderId: string;
  readonly netMinor: number;
  readonly remainingMinor: number;
}

/** All that the product shows of a customer, against what the reference expects. */
export async function compareCustomer(customerId: string, expected: Snapshot, api: Client): Promise<Difference[]> {
  const path = `/v1/customers/${encodeURIComponent(customerId)}`;
  const list = async <T>(name: string): Promise<T[]> => {
    const rows = await api.list<T>(`${path}/${name}`, sweptAt);
    if (rows === null) throw new AnswerError(`GET ${path}/${name}: 404`);
    return rows;
  };
  const [customer, history, lots, notes, orders] = await Promise.all([
    api.find<CustomerAnswer>(path, sweptAt),
    list<HistoryAnswer>("tier-history"),
    list<LotAnswer>("lots"),
    list<NoteAnswer>("notifications"),
    list<OrderRow>("orders"),
  ]);
  const { [customerId]: wanted } = expected.customers;
  const { history: wantedHistory = [], ...state } = wanted ?? {};
  // Offsets are those of a log that is shared with other customers.
  const changes = wantedHistory.map(({ offset: _offset, ...change }) => change);
  const left = (id: string) => expected.orders[id]?.remaining.reduce((sum, minor) => sum + minor, 0);
  return [
    ...differences("", state, customer && { ...customer, tier: customer.tier?.id ?? null, ...ofTier(customer) }),
    ...differences("history", changes, history.toReversed()),
    ...differences("lots", expected.lots, Object.fromEntries(lots.map((lot) => [`${lot.orderId}/${lot.campaignId}`, inWords(lot)]))),
    ...differences("lots", Object.keys(expected.lots).length, lots.length),
    ...anyOrder("notifications", expected.notifications, notes, tells, ({ type, data }) => ({ type, ...data })),
    ...differences("orders", Object.keys(expected.orders).length, orders.length),
    ...orders.flatMap(({ orderId, remainingMinor }) => differences(`orders.${orderId}`, left(orderId), remainingMinor)),
  ];
}

function ofTier({ tier }: CustomerAnswer) {
  return { validUntil: tier?.validUntil ?? null, pinned: tier?.pinned ?? false };
}

function inWords(lot: LotAnswer): object {
  return {
    granted: lot.grantedMinor,
    pending: lot.pendingMinor,
    available: lot.availableMinor,
    reserved: lot.reservedMinor,
    redeemed: lot.redeemedMinor,
    expired: lot.expiredMinor,
    reversed: lot.reversedMinor,
    availableAt: lot.availableAt,
    expiresAt: lot.expiresAt,
  };
}

function tells(wanted: object, { type, data }: NoteAnswer): boolean {
  return differences("", wanted, { ...data, type }).length === 0;
}
