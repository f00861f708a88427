import { AnswerError } from "./client.ts";
import type { OutgoingEvent } from "./defaults.ts";
import type { Position } from "./positions.ts";
import type { Session } from "./session.ts";
import type { Step, StoryEvent } from "./story.ts";
import { eventsOf } from "./defaults.ts";

/** Sends the records of a step in order, each partition's after what the others have to handle before. */
export async function sendEvents(step: Step, session: Session): Promise<void> {
  const { log, through } = session.surroundings;
  const { merchantId } = session.merchant;
  const waiting: OutgoingEvent[] = [];
  const flush = async () => {
    const records = waiting.splice(0);
    if (records.length > 0) for (const position of await log.send(records, session.merchant)) session.sent(position);
  };
  for (const record of eventsOf(step, merchantId)) {
    const request = through === "api" && record.key === `${merchantId}:${record.event?.customerId}` ? requestOf(record, session) : null;
    if (record.event?.type === "OrderPlaced") session.orderIds.add(record.event.orderId);
    await session.settleOthers(log.partitionOf(record.key));
    if (request === null) {
      waiting.push(record);
      continue;
    }
    await flush();
    if (request.isCommand) await session.settleEvents();
    session.sent(await post(request, record, session));
  }
  await flush();
}

type OrderLine = NonNullable<StoryEvent["lines"]>[number];

interface OrderRequest {
  readonly path: string;
  readonly body: object;
  /** Names a redemption, which the link to the order changes. */
  readonly isCommand: boolean;
}

async function post({ path, body }: OrderRequest, { event, key, at }: OutgoingEvent, session: Session): Promise<Position> {
  const answer = await session.client.call<{ orderId: string } & Position>("POST", path, [202], { body, now: at });
  const { orderId, partition, offset } = answer;
  const expected = session.surroundings.log.partitionOf(key);
  if (orderId !== event?.orderId || partition !== expected || !Number.isInteger(offset))
    throw new AnswerError(`POST ${path}: 202 ${JSON.stringify(answer)}, but the key belongs to partition ${expected}`);
  return { partition, offset };
}

const maxQuantity = 2 ** 31 - 1;
const futureLimitMs = 5 * 60_000;
const latestMs = Date.UTC(2200, 0, 1);

/** Text of at most so many characters that a database can hold. */
const isText = (text: string, max: number): boolean => [...text].length <= max && text.isWellFormed() && !text.includes("\0");
export const isId = (id: string | undefined): boolean => id !== undefined && id !== "" && isText(id, 64);

/** The request that says what this record says; null if the API has no words for it. */
function requestOf({ event, at }: OutgoingEvent, session: Session): OrderRequest | null {
  if (event === null || !isId(event.customerId) || !isId(event.orderId)) return null;
  if (event.merchantId !== undefined && event.merchantId !== session.merchant.merchantId) return null;
  if (event.type === "OrderPlaced") return placed(event, at, session);
  // Refunds and cancellations happen at the clock.
  if (event.occurredAt !== undefined && Date.parse(event.occurredAt) !== Date.parse(at)) return null;
  const path = `/v1/orders/${encodeURIComponent(event.orderId)}`;
  const { customerId, refundId, lines = [], reason } = event;
  if (!isText(reason ?? "", 256)) return null;
  if (event.type === "OrderCancelled") {
    return { path: `${path}/cancel`, body: { customerId, ...(reason && { reason }) }, isCommand: false };
  }
  const isSound = isId(refundId) && lines.length > 0 && lines.every(({ line = 0, netMinor }) => line >= 0 && netMinor >= 1);
  const named = lines.map(({ line = 0, netMinor }) => ({ line, netMinor }));
  return isSound ? { path: `${path}/refunds`, body: { customerId, refundId, lines: named }, isCommand: false } : null;
}

function placed(event: StoryEvent, at: string, session: Session): OrderRequest | null {
  const { orderId, customerId, lines = [], currency, paidWithCashbackMinor = 0 } = event;
  if (lines.length === 0 || !lines.every(isSound) || !/^[A-Z]{3}$/.test(currency ?? "USD")) return null;
  const occurredMs = Date.parse(event.occurredAt ?? at);
  if (occurredMs < 0 || occurredMs >= latestMs) return null;
  const redemptionId = paidWithCashbackMinor === 0 || !willCount(event, at, session) ? undefined : openRedemption(event, at, session);
  if (paidWithCashbackMinor !== 0 && redemptionId === undefined) return null;
  // An id that was answered before would get its first time again, which is another event than the story's.
  const occurredAt = event.occurredAt ?? (session.orderIds.has(orderId) ? at : undefined);
  const body = {
    orderId,
    customerId,
    ...(occurredAt !== undefined && { occurredAt }),
    ...(currency !== undefined && { currency }),
    lines: lines.map(({ sku = "sku", category, quantity = 1, netMinor }) => ({ sku, ...(category && { category }), quantity, netMinor })),
    ...(redemptionId !== undefined && { redemptionId }),
  };
  return { path: "/v1/orders", body, isCommand: redemptionId !== undefined };
}

/** To name a redemption is a command: it applies what is due, also where the order itself would then be refused or ignored. */
function willCount({ orderId, currency, lines = [], occurredAt, paidWithCashbackMinor = 0 }: StoryEvent, at: string, session: Session) {
  const net = lines.reduce((sum, { netMinor }) => sum + netMinor, 0);
  const isInTime = Date.parse(occurredAt ?? at) <= Date.parse(at) + futureLimitMs;
  const isOwnCurrency = (currency ?? session.merchant.currency) === session.merchant.currency;
  return isInTime && isOwnCurrency && paidWithCashbackMinor <= net && !session.orderIds.has(orderId);
}

/** Only what a schema can tell: the programs judge the rest. */
function isSound({ sku = "sku", category, quantity = 1, netMinor }: OrderLine): boolean {
  const isCount = quantity >= 1 && quantity <= maxQuantity;
  return isCount && netMinor >= 0 && isText(sku, 256) && isText(category ?? "", 256);
}

/** The redemption that the story made for this order and amount, if it can still be named. */
function openRedemption(event: StoryEvent, at: string, session: Session): string | undefined {
  const fits = [...session.redemptions.values()].filter(
    ({ customerId, orderId, amountMinor }) =>
      customerId === event.customerId && orderId === event.orderId && amountMinor === event.paidWithCashbackMinor,
  );
  return fits.find(({ isOpen, expiresAt }) => isOpen && Math.max(Date.parse(at), session.latestMs) < expiresAt)?.redemptionId;
}
