import { z } from "@hono/zod-openapi";
import { topics } from "@perkstream/contracts";
import { findMerchant } from "@perkstream/merchant";
import { findDeadLetter, type StoredDeadLetter } from "@perkstream/program";
import type { BootstrapPrincipal, MerchantPrincipal } from "../../auth/principal.ts";
import { programs } from "../../composition.ts";
import type { Deps } from "../../deps.ts";
import { refuse } from "../../errors.ts";
import { operation, reply } from "../../operation.ts";
import { scopeOf } from "../../programs.ts";
import { redriveRecord } from "../../redriver.ts";
import { redriversOf } from "../../redrivers.ts";
import { givenId, offsetOut } from "../../schemas/values.ts";
import { audit, write } from "../../write.ts";

const redriven = z.object({ topic: z.string(), partition: offsetOut, offset: offsetOut }).openapi("Redriven");

export const redriveDeadLetter = operation({
  method: "post",
  path: "/v1/dead-letters/{id}/redrive",
  tag: "Dead letters",
  summary: "Reads the event once more",
  description: `Once the cause is mended: each program that has a dead letter of this event judges it afresh, by the rules that hold now,
and both are marked \`redrivenAt\`. A new failure makes a new dead letter; an event that was applied meanwhile is a duplicate.
The answer has the event's own coordinates. 503 while tier or cashback has not come to the event by itself yet.`,
  access: { kind: "merchant-or-bootstrap", role: "operator" },
  command: true,
  params: z.object({ id: givenId }),
  idempotent: true,
  replies: { 202: { description: "Read once more", schema: redriven } },
  errors: ["not_found"],
  async handle(call) {
    const { deps, principal, params } = call;
    const found = await findOwn(deps, principal, params.id);
    if (found === null) return refuse("not_found", "there is no such dead letter");
    const { record } = found;
    const redrivers = redriversOf(deps);
    for (const redriver of redrivers) await redriver.prepare(record);
    return write(call, async (tx) => {
      await redriveRecord(tx, redrivers, record, params.id);
      const answer = { topic: topics.orders, partition: record.partition, offset: record.offset };
      if (principal.kind === "merchant") {
        await audit(tx, call, principal, { action: "dead_letter.redrive", target: params.id, before: null, after: answer });
      }
      return reply(202, answer);
    });
  },
});

/** A merchant's own dead letter; of no known merchant for the bootstrap key. */
async function findOwn(deps: Deps, principal: MerchantPrincipal | BootstrapPrincipal, id: string): Promise<StoredDeadLetter | null> {
  for (const program of programs) {
    const found = await findDeadLetter(deps.sql, scopeOf(program), id);
    if (found === null) continue;
    const { scope } = found;
    if (principal.kind === "merchant") return scope === principal.merchant.merchantId ? found : null;
    return scope === null || (await findMerchant(deps.sql, scope)) === null ? found : null;
  }
  return null;
}
