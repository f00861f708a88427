import { z } from "@hono/zod-openapi";
import { listCards } from "@perkstream/stamps";
import { Refusal } from "../../errors.ts";
import { decodeCursor, pageFrom, pageOf, pageQuery } from "../../http/cursor.ts";
import { operation, reply } from "../../operation.ts";
import { text } from "../../schemas/values.ts";
import { cardShape } from "./shapes.ts";

export const listStampCards = operation({
  method: "get",
  path: "/v1/stamp-cards",
  tag: "Stamp cards",
  summary: "Stamp cards by id",
  access: { kind: "merchant", role: "viewer" },
  query: pageQuery,
  replies: { 200: { description: "Cards as they are now", schema: pageOf(cardShape) } },
  async handle({ deps, principal, query: { limit, cursor } }) {
    const after = decodeCursor(z.tuple([text(64, 1)]), cursor);
    if (after instanceof Refusal) return after;
    // A merchant has some cards at most, so a page is cut here.
    const cards = (await listCards(deps.sql, principal.merchant.merchantId)).filter(({ id }) => after === null || id > after[0]);
    return reply(
      200,
      pageFrom(
        cards.slice(0, limit + 1),
        limit,
        ({ id }) => [id],
        (card) => card,
      ),
    );
  },
});
