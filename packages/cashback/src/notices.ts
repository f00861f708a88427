import type { NotificationEncoder } from "@perkstream/contracts";
import { type Notice, noticeId } from "@perkstream/program";
import type { NoticeCause, NoticeValue } from "./domain/index.ts";

export const programName = "cashback";

/** The text that a notice's id is made of. The length keeps ids with slashes apart. */
function causeText(cause: NoticeCause): string {
  if ("offset" in cause) return `orders.v1/${cause.partition}:${cause.offset}`;
  if ("requestId" in cause) return cause.requestId;
  return `lot:${cause.orderId.length}:${cause.orderId}/${cause.campaignId}@${cause.at}`;
}

/** The notification of a notice: id, key and framed Avro. */
export function encodeNotice(encoder: NotificationEncoder, merchantId: string, currency: string, notice: NoticeValue): Notice {
  const { customerId, occurredAt, orderId, amountMinor } = notice;
  const id = noticeId(programName, notice.type, merchantId, customerId, causeText(notice.cause), notice.n);
  const common = { id, merchantId, customerId, occurredAt, orderId, amountMinor, currency };
  return { id, key: `${merchantId}:${customerId}`, value: encode(encoder, common, notice) };
}

interface Common {
  readonly id: string;
  readonly merchantId: string;
  readonly customerId: string;
  readonly occurredAt: number;
  readonly orderId: string | null;
  readonly amountMinor: bigint;
  readonly currency: string;
}

function encode(encoder: NotificationEncoder, common: Common, notice: NoticeValue): Buffer {
  switch (notice.type) {
    case "CashbackEarned": {
      const { campaigns, availableAt, expiresAt, balanceMinor } = notice;
      return encoder.encode(notice.type, { ...common, campaigns, availableAt, expiresAt, balanceMinor });
    }
    case "CashbackExpiring":
      return encoder.encode(notice.type, { ...common, expiresAt: notice.expiresAt });
    default:
      return encoder.encode(notice.type, { ...common, balanceMinor: notice.balanceMinor });
  }
}
