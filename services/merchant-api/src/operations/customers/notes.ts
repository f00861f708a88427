import { z } from "@hono/zod-openapi";
import { formatCursor, listNotifications, type StoredNotification } from "@perkstream/inbox";
import type { Merchant } from "@perkstream/merchant";
import type { Deps } from "../../deps.ts";
import { Refusal } from "../../errors.ts";
import { decodeCursor, pageFrom } from "../../http/cursor.ts";
import { reply } from "../../operation.ts";
import type { notification } from "../../schemas/customer.ts";
import { iso } from "../../schemas/time.ts";
import { isKnown, unknownCustomer } from "./view.ts";

/** A page of a customer's notifications, newest first; for the merchant and for the customer. */
export async function answerNotes(
  deps: Deps,
  merchant: Merchant,
  customerId: string,
  query: { readonly limit: number; readonly cursor?: string | undefined },
) {
  const after = decodeCursor(z.tuple([z.int().min(0).max(2_147_483_647), z.int().min(-1)]), query.cursor);
  if (after instanceof Refusal) return after;
  const before = after === null ? {} : { before: { partition: after[0], offset: after[1] } };
  const stored = await listNotifications(deps.sql, { merchant: merchant.merchantId, customerId }, { limit: query.limit + 1, ...before });
  if (stored.length === 0 && !(await isKnown(deps.sql, merchant, customerId))) return unknownCustomer();
  await deps.records.json.prepare(stored.map(({ record }) => record));
  return reply(
    200,
    pageFrom(
      stored,
      query.limit,
      ({ partition, offset }) => [partition, offset],
      (one) => showNote(deps, one),
    ),
  );
}

/** Exactly the note that the notifier sends, and whether it was read. The time is the record's `occurredAt`. */
function showNote(deps: Deps, { partition, offset, id, storedAt, record, read }: StoredNotification): z.input<typeof notification> {
  const decoded = deps.records.json.decode(record);
  if (!decoded.ok) throw new Error(`notification ${id} does not decode: ${decoded.message}`);
  const { type, data } = decoded.event;
  const { occurredAt } = data;
  return {
    cursor: formatCursor(partition, offset),
    id,
    type,
    at: typeof occurredAt === "string" ? occurredAt : iso(storedAt),
    data: { ...data },
    read,
  };
}
