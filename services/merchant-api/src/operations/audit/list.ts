import { z } from "@hono/zod-openapi";
import { listAudit } from "@perkstream/merchant";
import { Refusal } from "../../errors.ts";
import { decodeCursor, encodeCursor, pageOf, pageQuery } from "../../http/cursor.ts";
import { operation, reply } from "../../operation.ts";
import { instantOut, iso } from "../../schemas/time.ts";

const auditEntry = z
  .object({
    at: instantOut,
    actor: z.string(),
    requestId: z.string(),
    action: z.string().openapi({ example: "ladder.edit" }),
    target: z.string().nullable(),
    before: z.unknown(),
    after: z.unknown(),
  })
  .openapi("AuditEntry");

export const listAuditLog = operation({
  method: "get",
  path: "/v1/audit",
  tag: "Merchant",
  summary: "Every write: who, what, before and after; newest first",
  access: { kind: "merchant", role: "viewer" },
  query: pageQuery,
  replies: { 200: { description: "Entries", schema: pageOf(auditEntry) } },
  async handle({ deps, principal: { merchant }, query: { limit, cursor } }) {
    const after = decodeCursor(z.tuple([z.int().min(0)]), cursor);
    if (after instanceof Refusal) return after;
    const page = await listAudit(deps.sql, merchant.id, { cursor: after?.[0] ?? null, limit });
    const data = page.data.map(({ at, ...entry }) => ({ ...entry, at: iso(at) }));
    return reply(200, { data, nextCursor: page.nextCursor === null ? null : encodeCursor([page.nextCursor]) });
  },
});
