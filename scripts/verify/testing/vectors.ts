import { readFileSync } from "node:fs";
import type { CampaignDefinition } from "@perkstream/cashback";
import type { OrderEvent } from "@perkstream/contracts";
import type { Merchant } from "@perkstream/merchant";
import type { LadderChange, TierCommand } from "@perkstream/tier";
import type { VerifyBed } from "./bed.ts";

type Json = Record<string, unknown>;

/** What is used here of a worked case; the head of vectors.json explains the format. */
export interface WorkedCase {
  readonly id: string;
  readonly title: string;
  readonly merchant: {
    readonly currency: string;
    readonly timeZone: string;
    readonly clawbackPolicy: "allow_negative" | "clamp_to_zero";
    readonly expiringNoticeDays?: number;
  };
  readonly ladder: Json;
  readonly campaigns: readonly (Partial<CampaignDefinition> & { readonly id: string })[];
  readonly steps: readonly Json[];
}

const file = new URL("../../../vectors/vectors.json", import.meta.url);
const { defaults, vectors } = JSON.parse(readFileSync(file, "utf8")) as {
  defaults: { merchant: Json; settings: Json; line: Json };
  vectors: WorkedCase[];
};

export const workedCases: readonly WorkedCase[] = vectors;

/** Plays a worked case through both programs as a merchant of its own; answers the merchant. */
export async function playCase(bed: VerifyBed, worked: WorkedCase): Promise<Merchant> {
  const { currency, timeZone, clawbackPolicy, expiringNoticeDays = 0 } = worked.merchant;
  const merchant = await bed.merchant({ name: worked.id, currency, timeZone, clawbackPolicy, expiringNoticeDays });
  await bed.ladder(merchant, ladderOf(worked.ladder, 0));
  for (const campaign of worked.campaigns) await bed.campaign(merchant, campaign, 0);
  const redemptions = new Map<string, { readonly id: string; readonly customerId: string }>();
  let atMs = 0;
  for (const step of worked.steps) {
    if (typeof step["at"] === "string") atMs = Date.parse(step["at"]);
    await playStep(bed, merchant, step, atMs, redemptions);
  }
  return merchant;
}

async function playStep(
  bed: VerifyBed,
  merchant: Merchant,
  step: Json,
  atMs: number,
  redemptions: Map<string, { readonly id: string; readonly customerId: string }>,
): Promise<void> {
  const { event, raw, key, ladder, campaign } = step;
  if (event !== undefined) {
    const events = eventsOf(step, merchant, atMs);
    const named = typeof key === "string" ? key.replace(String(defaults.merchant["merchantId"]), merchant.merchantId) : undefined;
    await bed.feed(events.map((one) => ({ event: one, atMs, ...(named === undefined ? {} : { key: named }) })));
  } else if (raw !== undefined) {
    const partition = bed.partitionOf(merchant.merchantId, "c1");
    await bed.raw([
      { partition, timestamp: atMs, key: Buffer.from(`${merchant.merchantId}:c1`), value: Buffer.from(text(raw, ""), "hex") },
    ]);
  } else if (step["sweep"] === true) await bed.sweep(merchant.merchantId, atMs);
  else if (ladder !== undefined) await bed.ladder(merchant, ladderOf(ladder as Json, atMs));
  else if (campaign !== undefined) await bed.campaign(merchant, campaign as WorkedCase["campaigns"][number], atMs);
  else await playCommand(bed, merchant, step, atMs, redemptions);
}

async function playCommand(
  bed: VerifyBed,
  merchant: Merchant,
  step: Json,
  atMs: number,
  redemptions: Map<string, { readonly id: string; readonly customerId: string }>,
): Promise<void> {
  for (const kind of ["pin", "promote", "demote", "unpin"] as const) {
    if (!(kind in step)) continue;
    const spec = step[kind] as Json;
    const untilAt = typeof spec["until"] === "string" ? Date.parse(spec["until"]) : null;
    const note = text(spec["reason"], "");
    const command: TierCommand =
      kind === "unpin" ? { kind } : kind === "pin" ? { kind, levelId: text(spec["levelId"], ""), note, untilAt } : { kind, note, untilAt };
    await bed.tierCommand(merchant, text(spec["customerId"], ""), command, text(spec["actor"], "somebody"), atMs);
  }
  for (const kind of ["reserve", "redeem"] as const) {
    if (!(kind in step)) continue;
    const spec = step[kind] as Json;
    const named = { id: `${merchant.merchantId}-${text(spec["id"], "")}`, customerId: text(spec["customerId"], "") };
    redemptions.set(text(spec["id"], ""), named);
    const orderId = typeof spec["orderId"] === "string" ? spec["orderId"] : null;
    await bed.redemption(
      merchant,
      { kind, ...named, amountMinor: Number(spec["amountMinor"]), orderId, ttlMs: Number(spec["ttlSeconds"] ?? 0) * 1_000 },
      atMs,
    );
  }
  for (const kind of ["commit", "release"] as const) {
    const named = redemptions.get(text((step[kind] as Json | undefined)?.["id"], ""));
    if (kind in step && named !== undefined) await bed.redemption(merchant, { kind, ...named }, atMs);
  }
}

function text(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

function ladderOf(spec: Json, atMs: number): LadderChange {
  const { days, ...settings } = { ...defaults.settings, ...(spec["settings"] as Json) };
  return {
    settings: { ...settings, ...(days === null || days === undefined ? {} : { days }) } as unknown as LadderChange["settings"],
    levels: spec["levels"] as LadderChange["levels"],
    apply: text(spec["apply"], "immediate") as LadderChange["apply"],
    actor: "ann",
    atMs,
  };
}

function eventsOf(step: Json, merchant: Merchant, atMs: number): OrderEvent[] {
  const spec = step["event"] as Json;
  const copies = step["copies"] as number | undefined;
  if (copies === undefined) return [eventOf(spec, merchant, atMs)];
  return Array.from({ length: copies }, (_, i) => eventOf({ ...spec, orderId: `${text(spec["orderId"], "")}-${i + 1}` }, merchant, atMs));
}

function eventOf(spec: Json, { merchantId, versions }: Merchant, atMs: number): OrderEvent {
  const common = {
    merchantId: text(spec["merchantId"], merchantId),
    customerId: text(spec["customerId"], ""),
    orderId: text(spec["orderId"], ""),
    occurredAt: typeof spec["occurredAt"] === "string" ? Date.parse(spec["occurredAt"]) : atMs,
  };
  const lines = ((spec["lines"] ?? []) as Json[]).map((line): Json => ({ ...defaults.line, ...line }));
  const amount = (value: unknown) => BigInt(Number(value ?? 0));
  switch (spec["type"]) {
    case "OrderCancelled":
      return { type: "OrderCancelled", ...common, reason: null };
    case "OrderRefunded":
      return {
        type: "OrderRefunded",
        ...common,
        refundId: text(spec["refundId"], ""),
        lines: lines.map((line) => ({ line: Number(line["line"] ?? 0), netMinor: amount(line["netMinor"]) })),
      };
    default:
      return {
        type: "OrderPlaced",
        ...common,
        currency: text(spec["currency"], versions[0]!.currency),
        lines: lines.map((line) => ({
          sku: text(line["sku"], "sku"),
          category: (line["category"] as string | null | undefined) ?? null,
          quantity: Number(line["quantity"] ?? 1),
          netMinor: amount(line["netMinor"]),
        })),
        paidWithCashbackMinor: amount(spec["paidWithCashbackMinor"]),
      };
  }
}
