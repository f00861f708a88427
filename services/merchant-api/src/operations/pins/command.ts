import { randomUUID } from "node:crypto";
import { inPartitions } from "@perkstream/program";
import { runTierCommand, type TierCommand } from "@perkstream/tier";
import type { MerchantPrincipal } from "../../auth/principal.ts";
import { invalidField, refuse } from "../../errors.ts";
import { reply } from "../../operation.ts";
import { scopeOf } from "../../programs.ts";
import { audit, write, type WriteCall } from "../../write.ts";
import { requireCustomer } from "../customers/view.ts";
import { currentMerchant } from "../merchant/current.ts";

interface PinCall extends WriteCall {
  readonly principal: MerchantPrincipal;
  readonly params: { readonly customerId: string };
  readonly now: number;
}

const refusals = {
  unknown_level: "the ladder has no such level",
  no_such_level: "there is no level in that direction",
  not_pinned: "the customer is not pinned",
} as const;

/** Pins, promotes, demotes or unpins, and answers with the customer. What was due by the clock stays applied, also with a 409. */
export async function commandTier(call: PinCall, command: TierCommand) {
  const { deps, principal, params, now } = call;
  const { merchantId } = principal.merchant;
  if ("untilAt" in command && command.untilAt !== null && command.untilAt <= now) return invalidField("until", "must be after the clock");
  const partition = deps.partitionOf(merchantId, params.customerId);
  return write(call, (tx) =>
    inPartitions(tx, { ...scopeOf("tier"), partitions: [partition] }, async (held) => {
      const merchant = await currentMerchant(tx, merchantId);
      const target = { merchant, customerId: params.customerId, partition };
      const result = await runTierCommand(held, deps.records.notifications, target, command, {
        id: randomUUID(),
        actor: principal.actor,
        atMs: now,
      });
      if ("refused" in result) return refuse(result.refused, refusals[result.refused]);
      await audit(tx, call, principal, { action: `tier.${command.kind}`, target: params.customerId, before: null, after: command });
      return reply(200, await requireCustomer(tx, merchant, params.customerId, now));
    }),
  );
}
