import { inPartitions } from "@perkstream/program";
import { listCards, MAX_CARDS, putCard } from "@perkstream/stamps";
import { checkVersion, etagOf } from "../../http/etag.ts";
import { operation, reply } from "../../operation.ts";
import { allPartitions, scopeOf } from "../../programs.ts";
import { audit, writeInTurn } from "../../write.ts";
import { cardBody, cardParams, cardShape, tooManyCards } from "./shapes.ts";

export const putStampCard = operation({
  method: "put",
  path: "/v1/stamp-cards/{cardId}",
  tag: "Stamp cards",
  summary: "Makes or changes a stamp card",
  description:
    'Every accepted PUT is a new version; it counts what the stamps program reads from now on, and what was counted stays. `If-Match: "0"` for a new card.',
  access: { kind: "merchant", role: "owner" },
  command: "stamps",
  params: cardParams,
  body: cardBody,
  ifMatch: "required",
  replies: { 200: { description: "The card; ETag is its version", schema: cardShape } },
  async handle(call) {
    const { deps, principal, params, body, now, ifMatch } = call;
    const { merchantId } = principal.merchant;
    const scope = { ...scopeOf("stamps"), partitions: allPartitions(deps.partitions) };
    return writeInTurn(call, (tx) =>
      inPartitions(tx, scope, async (held) => {
        const cards = await listCards(tx, merchantId);
        const before = cards.find(({ id }) => id === params.cardId) ?? null;
        const stale = checkVersion(ifMatch, before?.version ?? 0);
        if (stale !== null) return stale;
        if (before === null && cards.length >= MAX_CARDS) return tooManyCards();
        const change = { ...body, id: params.cardId, name: body.name ?? params.cardId, actor: principal.actor, atMs: now };
        const after = await putCard(held, merchantId, change);
        await audit(tx, call, principal, { action: "stamp-card.put", target: params.cardId, before, after });
        return reply(200, after, { etag: etagOf(after.version) });
      }),
    );
  },
});
