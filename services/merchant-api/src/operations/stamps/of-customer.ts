import { z } from "@hono/zod-openapi";
import { customerCards } from "@perkstream/stamps";
import { Refusal } from "../../errors.ts";
import { decodeCursor, pageFrom, pageOf, pageQuery } from "../../http/cursor.ts";
import { operation, reply } from "../../operation.ts";
import { customerParams } from "../../schemas/customer.ts";
import { text } from "../../schemas/values.ts";
import { isKnown, unknownCustomer } from "../customers/view.ts";
import { customerCardShape } from "./shapes.ts";

export const listCustomerStamps = operation({
  method: "get",
  path: "/v1/customers/{customerId}/stamps",
  tag: "Stamp cards",
  summary: "What the customer has on stamp cards",
  access: { kind: "merchant", role: "viewer" },
  params: customerParams,
  query: pageQuery,
  replies: {
    200: {
      description: "Cards that count now, and others that the customer has something of; by cardId",
      schema: pageOf(customerCardShape),
    },
  },
  errors: ["not_found"],
  async handle({ deps, principal: { merchant }, params: { customerId }, query: { limit, cursor } }) {
    const after = decodeCursor(z.tuple([text(64, 1)]), cursor);
    if (after instanceof Refusal) return after;
    const cards = await customerCards(deps.sql, merchant, customerId);
    if (cards === null && !(await isKnown(deps.sql, merchant, customerId))) return unknownCustomer();
    const rest = (cards ?? []).filter(({ cardId }) => after === null || cardId > after[0]);
    return reply(
      200,
      pageFrom(
        rest.slice(0, limit + 1),
        limit,
        ({ cardId }) => [cardId],
        (card) => card,
      ),
    );
  },
});
