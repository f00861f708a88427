import { z } from "@hono/zod-openapi";
import type { Page } from "@perkstream/cashback";
import type { Merchant } from "@perkstream/merchant";
import type { Deps } from "../../deps.ts";
import { Refusal } from "../../errors.ts";
import { decodeCursor, encodeCursor } from "../../http/cursor.ts";
import { isKnown, unknownCustomer } from "./view.ts";

interface PageQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** A page that the cashback program gives by its own numbering; empty for a customer that only the tier program knows. */
export async function cashbackPage<T>(
  deps: Deps,
  merchant: Merchant,
  customerId: string,
  { limit, cursor }: PageQuery,
  read: (page: { readonly limit: number; readonly before?: number | undefined }) => Promise<Page<T> | undefined>,
): Promise<{ data: T[]; nextCursor: string | null } | Refusal> {
  const after = decodeCursor(z.tuple([z.int()]), cursor);
  if (after instanceof Refusal) return after;
  const page = await read({ limit, before: after?.[0] });
  if (page !== undefined) return { data: [...page.data], nextCursor: page.next === null ? null : encodeCursor([page.next]) };
  return (await isKnown(deps.sql, merchant, customerId)) ? { data: [], nextCursor: null } : unknownCustomer();
}
