import { type Apply, type LadderJson, newestLadder, previewLadder, putLadder } from "@perkstream/tier";
import { inPartitions } from "@perkstream/program";
import type { MerchantPrincipal } from "../../auth/principal.ts";
import { Refusal } from "../../errors.ts";
import { checkVersion, etagOf, type IfMatch } from "../../http/etag.ts";
import { reply } from "../../operation.ts";
import { allPartitions, scopeOf } from "../../programs.ts";
import { audit, type WriteCall, writeInTurn } from "../../write.ts";
import type { LadderContent } from "./ladder.ts";

interface LadderCall extends WriteCall {
  readonly principal: MerchantPrincipal;
  readonly now: number;
  readonly ifMatch: IfMatch;
  readonly query: { readonly preview: boolean; readonly apply: Apply };
}

type Change = (current: LadderJson) => LadderContent | Refusal;

/**
 * Every edit of a ladder: `change` makes the next content of the current one. A preview tells its effect and stores nothing;
 * else a new version is stored under the locks of the tier program, with the offsets from which it holds.
 */
export async function editLadder<const S extends 200 | 201>(call: LadderCall, status: S, change: Change) {
  return call.query.preview ? preview(call, change) : store(call, status, change);
}

async function preview({ deps, principal, now, ifMatch, query }: LadderCall, change: Change) {
  const current = await newestLadder(deps.sql, principal.merchant.id);
  const next = checkVersion(ifMatch, current.version) ?? change(current);
  if (next instanceof Refusal) return next;
  const counts = await previewLadder(deps.sql, principal.merchant, { ...next, apply: query.apply, actor: principal.actor, atMs: now });
  return reply(200, counts);
}

async function store<const S extends number>(call: LadderCall, status: S, change: Change) {
  const { deps, principal, now, ifMatch, query } = call;
  const scope = { ...scopeOf("tier"), partitions: allPartitions(deps.partitions) };
  return writeInTurn(call, (tx) =>
    inPartitions(tx, scope, async (held) => {
      const before = await newestLadder(tx, principal.merchant.id);
      const next = checkVersion(ifMatch, before.version) ?? change(before);
      if (next instanceof Refusal) return next;
      const after = await putLadder(held, principal.merchant.id, null, { ...next, apply: query.apply, actor: principal.actor, atMs: now });
      if ("staleVersion" in after) throw new Error("the ladder changed under the lock");
      await audit(tx, call, principal, { action: "ladder.edit", target: null, before, after: { ...after, apply: query.apply } });
      return reply(status, after, { etag: etagOf(after.version) });
    }),
  );
}
