import type { NotificationEncoder, OrderEvent } from "@perkstream/contracts";
import { type Notice, noticeId, type SourceRecord } from "@perkstream/program";
import type { CardRules, Stamped } from "./domain/index.ts";

export const PROGRAM = "stamps";

/** What an order did to one card. */
export interface CardStamped {
  readonly card: CardRules;
  readonly stamped: Stamped;
}

type Placed = Extract<OrderEvent, { type: "OrderPlaced" }>;

/**
 * What an order tells its customer: per card at most one StampAdded and then one RewardEarned, cards by id. Their number among
 * those of their type is part of the id, so it counts all cards that the order stamped.
 */
export function noticesOf(encoder: NotificationEncoder, order: Placed, record: SourceRecord, cards: readonly CardStamped[]): Notice[] {
  return cards.flatMap((one, n) => [
    ...(one.stamped.added > 0 ? [stampAdded(encoder, order, record, one, n)] : []),
    ...(one.stamped.earned > 0 ? [rewardEarned(encoder, order, record, one, n)] : []),
  ]);
}

function stampAdded(encoder: NotificationEncoder, order: Placed, record: SourceRecord, { card, stamped }: CardStamped, n: number): Notice {
  const common = commonOf("StampAdded", order, record, n);
  const { cardId, name, size } = card;
  const value = encoder.encode("StampAdded", {
    ...common,
    cardId,
    card: name,
    added: BigInt(stamped.added),
    stamps: stamped.standing.stamps,
    size,
  });
  return { id: common.id, key: keyOf(order), value };
}

function rewardEarned(
  encoder: NotificationEncoder,
  order: Placed,
  record: SourceRecord,
  { card, stamped }: CardStamped,
  n: number,
): Notice {
  const common = commonOf("RewardEarned", order, record, n);
  const value = encoder.encode("RewardEarned", {
    ...common,
    cardId: card.cardId,
    card: card.name,
    rewards: BigInt(stamped.earned),
    amountMinor: stamped.amountMinor,
    currency: order.currency,
    stamps: stamped.standing.stamps,
  });
  return { id: common.id, key: keyOf(order), value };
}

function commonOf(type: "StampAdded" | "RewardEarned", order: Placed, record: SourceRecord, n: number) {
  const { merchantId, customerId, occurredAt, orderId } = order;
  const cause = `orders.v1/${record.partition}:${record.offset}`;
  return { id: noticeId(PROGRAM, type, merchantId, customerId, cause, n), merchantId, customerId, occurredAt, orderId };
}

function keyOf({ merchantId, customerId }: Placed): string {
  return `${merchantId}:${customerId}`;
}
