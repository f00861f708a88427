import { findCard } from "@perkstream/stamps";
import { etagOf } from "../../http/etag.ts";
import { operation, reply } from "../../operation.ts";
import { cardParams, cardShape, unknownCard } from "./shapes.ts";

export const getStampCard = operation({
  method: "get",
  path: "/v1/stamp-cards/{cardId}",
  tag: "Stamp cards",
  summary: "One stamp card",
  access: { kind: "merchant", role: "viewer" },
  params: cardParams,
  replies: { 200: { description: "The card; ETag is its version", schema: cardShape } },
  errors: ["not_found"],
  async handle({ deps, principal, params }) {
    const card = await findCard(deps.sql, principal.merchant.merchantId, params.cardId);
    return card === null ? unknownCard() : reply(200, card, { etag: etagOf(card.version) });
  },
});
