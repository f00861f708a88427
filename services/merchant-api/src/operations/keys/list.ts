import { z } from "@hono/zod-openapi";
import { listApiKeys } from "@perkstream/merchant";
import { decodeCursor, pageFrom, pageOf, pageQuery } from "../../http/cursor.ts";
import { Refusal } from "../../errors.ts";
import { operation, reply } from "../../operation.ts";
import { apiKeyShape } from "../../schemas/merchant.ts";
import { showKey } from "./show.ts";

export const listKeys = operation({
  method: "get",
  path: "/v1/api-keys",
  tag: "API keys",
  summary: "The merchant's keys, newest first",
  access: { kind: "merchant", role: "viewer" },
  query: pageQuery,
  replies: { 200: { description: "Keys, without their secrets", schema: pageOf(apiKeyShape) } },
  async handle({ deps, principal, query: { limit, cursor } }) {
    const after = decodeCursor(z.tuple([z.string()]), cursor);
    if (after instanceof Refusal) return after;
    // A merchant has few keys, so the list is read whole and cut here.
    const keys = await listApiKeys(deps.sql, principal.merchant.id);
    const start = after === null ? 0 : keys.findIndex(({ id }) => id === after[0]) + 1;
    return reply(
      200,
      pageFrom(keys.slice(start, start + limit + 1), limit, ({ id }) => [id], showKey),
    );
  },
});
