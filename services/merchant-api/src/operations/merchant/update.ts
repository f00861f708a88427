import { currentSettings, type Merchant, type SettingsChange, updateSettings } from "@perkstream/merchant";
import type { Tx } from "@perkstream/postgres";
import type { CommandContext } from "@perkstream/program";
import { forgetDueMoments } from "@perkstream/tier";
import { programs } from "../../composition.ts";
import { refuse } from "../../errors.ts";
import { operation, reply } from "../../operation.ts";
import { holding, latestOffsets, nextOffsets } from "../../programs.ts";
import { merchantPatch, merchantShape } from "../../schemas/merchant.ts";
import { audit, writeInTurn } from "../../write.ts";
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
    return writeInTurn(call, (tx) =>
      holding(tx, programs, deps.partitions, async (held) => {
        const shared = latestOffsets([...held.values()], deps.partitions);
        const own = nextOffsets(held.get("cashback")!, deps.partitions);
        const before = await currentMerchant(tx, principal.merchant.merchantId);
        const changesCurrency = change.currency !== undefined && change.currency !== currentSettings(before).currency;
        if (changesCurrency && (await hasOrders(tx, before.id)))
          return refuse("currency_fixed", "an order was counted in the present currency");
        const after = await updateSettings(tx, before.merchantId, change, { shared, cashback: own }, { actor: principal.actor, at: now });
        if (after === null) return refuse("not_found", "there is no such merchant");
        if (change.timeZone !== undefined) await forgetDueMoments(tx, before.id);
        if (currentSettings(after).version > currentSettings(before).version) noteSettings(held.values(), after, now);
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

/** From here on each program knows the version; what is applied at the same offset before it did not (docs/programs.md). */
function noteSettings(programs: Iterable<CommandContext>, merchant: Merchant, asOf: number): void {
  const detail = { merchant: merchant.id, version: currentSettings(merchant).version };
  for (const { progress, applied } of programs) {
    for (const partition of progress.keys()) applied({ partition, kind: "settings", customer: 0, asOf, detail });
  }
}

/** Under all programs' locks: nothing is counted meanwhile. */
async function hasOrders(tx: Tx, merchant: number): Promise<boolean> {
  const each = programs.map((program) => `SELECT 1 FROM ${program}."order" WHERE merchant = $1`);
  const rows = await tx.unsafe(`${each.join(" UNION ALL ")} LIMIT 1`, [merchant]);
  return rows.length > 0;
}
