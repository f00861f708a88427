import { currentSettings, type SettingsChange, updateSettings } from "@perkstream/merchant";
import type { Tx } from "@perkstream/postgres";
import { forgetDueMoments } from "@perkstream/tier";
import { refuse } from "../../errors.ts";
import { operation, reply } from "../../operation.ts";
import { holdingBoth, nextOffsets } from "../../programs.ts";
import { merchantPatch, merchantShape } from "../../schemas/merchant.ts";
import { audit, write } from "../../write.ts";
import { currentMerchant } from "./current.ts";
import { showMerchant } from "./show.ts";

export const updateMerchant = operation({
  method: "patch",
  path: "/v1/merchant",
  tag: "Merchant",
  summary: "Changes the merchant's settings",
  description:
    "A time zone or policy holds from where the programs then are; the local date of a counted order stays. The currency is fixed once an order was counted.",
  access: { kind: "merchant", role: "owner" },
  command: true,
  body: merchantPatch,
  replies: { 200: { description: "The merchant after the change", schema: merchantShape } },
  errors: ["currency_fixed"],
  async handle(call) {
    const { deps, principal, body, now } = call;
    const change: SettingsChange = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null && value !== undefined));
    return write(call, (tx) =>
      holdingBoth(tx, deps.partitions, async ({ tier, cashback }) => {
        const from = nextOffsets(tier, deps.partitions);
        const own = nextOffsets(cashback, deps.partitions);
        const before = await currentMerchant(tx, principal.merchant.merchantId);
        const changesCurrency = change.currency !== undefined && change.currency !== currentSettings(before).currency;
        if (changesCurrency && (await hasOrders(tx, before.id)))
          return refuse("currency_fixed", "an order was counted in the present currency");
        const holdsFrom = { shared: own.map((offset, partition) => Math.max(offset, from[partition] ?? 0)), cashback: own };
        const after = await updateSettings(tx, before.merchantId, change, holdsFrom, { actor: principal.actor, at: now });
        if (after === null) return refuse("not_found", "there is no such merchant");
        if (change.timeZone !== undefined) await forgetDueMoments(tx, before.id);
        await audit(tx, call, principal, {
          action: "merchant.update",
          target: null,
          before: showMerchant(before),
          after: showMerchant(after),
        });
        return reply(200, showMerchant(after));
      }),
    );
  },
});

/** Under both programs' locks: nothing is counted meanwhile. */
async function hasOrders(tx: Tx, merchant: number): Promise<boolean> {
  const rows = await tx`
    SELECT 1 FROM tier."order" WHERE merchant = ${merchant}
    UNION ALL SELECT 1 FROM cashback."order" WHERE merchant = ${merchant} LIMIT 1`;
  return rows.length > 0;
}
