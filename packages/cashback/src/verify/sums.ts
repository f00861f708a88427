import { differingFields, type Group, type Report, type Shown, type Snapshot, type Where } from "@perkstream/verify";
import { account, kind, type Transfer } from "../domain/index.ts";
import { programName } from "../notices.ts";
import type { MerchantCampaigns } from "../store/campaigns.ts";

interface CampaignSum {
  awarded: bigint;
  reversed: bigint;
  redeemed: bigint;
  customers: bigint;
}

interface MerchantSum {
  cost: bigint;
  redeemed: bigint;
  breakage: bigint;
  writtenOff: bigint;
}

/** What is kept in sums per partition, and what a campaign's budget paid while each of its versions held, by the replay. */
export class ExpectedSums {
  readonly campaigns = new Map<string, CampaignSum>();
  readonly merchants = new Map<string, MerchantSum>();
  /** Campaign → version → awards less clawbacks. */
  readonly byVersion = new Map<number, Map<number, bigint>>();

  used(part: number, campaign: number, version: number, amountMinor: bigint): void {
    const sum = this.#campaign(part, campaign);
    if (amountMinor > 0n) sum.awarded += amountMinor;
    else sum.reversed -= amountMinor;
    let versions = this.byVersion.get(campaign);
    if (versions === undefined) this.byVersion.set(campaign, (versions = new Map()));
    versions.set(version, (versions.get(version) ?? 0n) + amountMinor);
  }

  customer(part: number, campaign: number): void {
    this.#campaign(part, campaign).customers += 1n;
  }

  transfer(part: number, merchant: number, { lot, kind: what, debit, credit, amountMinor }: Transfer): void {
    if (what === kind.redeem) this.#campaign(part, lot.campaign).redeemed += amountMinor;
    else if (what === kind.putBack) this.#campaign(part, lot.campaign).redeemed -= amountMinor;
    if (debit > account.debt) this.#move(part, merchant, debit, -amountMinor);
    if (credit > account.debt) this.#move(part, merchant, credit, amountMinor);
  }

  #campaign(part: number, campaign: number): CampaignSum {
    const key = `${campaign}/${part}`;
    let sum = this.campaigns.get(key);
    if (sum === undefined) this.campaigns.set(key, (sum = { awarded: 0n, reversed: 0n, redeemed: 0n, customers: 0n }));
    return sum;
  }

  #move(part: number, merchant: number, to: number, amountMinor: bigint): void {
    const key = `${merchant}/${part}`;
    let sum = this.merchants.get(key);
    if (sum === undefined) this.merchants.set(key, (sum = { cost: 0n, redeemed: 0n, breakage: 0n, writtenOff: 0n }));
    if (to === account.cost) sum.cost += amountMinor;
    else if (to === account.redeemed) sum.redeemed += amountMinor;
    else if (to === account.breakage) sum.breakage += amountMinor;
    else sum.writtenOff += amountMinor;
  }
}

/** What a group's sums are compared with: names for the differences, and the rules of the budgets. */
export interface SumsContext {
  readonly snapshot: Snapshot;
  readonly group: Group;
  readonly expected: ExpectedSums;
  readonly merchantId: (merchant: number) => string;
  readonly campaigns: ReadonlyMap<number, MerchantCampaigns>;
  readonly report: Report;
}

/** The stored sums of a group of merchants against those of the replay. */
export async function compareSums(context: SumsContext): Promise<void> {
  await compareCampaignSums(context);
  await compareMerchantBalances(context);
}

type Row = Readonly<Record<string, Shown>>;

async function compareCampaignSums({ snapshot, group, expected, merchantId, report }: SumsContext): Promise<void> {
  const rows = await snapshot.tx.unsafe<({ merchant: number; campaign: number; campaign_id: string; part: number } & Row)[]>(
    `SELECT c.merchant, c.campaign, c.campaign_id, s.part, s.awarded, s.reversed, s.redeemed, s.customers
     FROM cashback.campaign_stat s JOIN cashback.campaign c USING (campaign) WHERE c.merchant = ANY($1::int4[]) ORDER BY 1, 2, 4`,
    [`{${group.join(",")}}`],
  );
  const left = new Map(expected.campaigns);
  for (const { merchant, campaign, campaign_id, part, ...found } of rows) {
    const key = `${campaign}/${part}`;
    const wanted = left.get(key) ?? { awarded: 0n, reversed: 0n, redeemed: 0n, customers: 0n };
    left.delete(key);
    tell(report, "campaign sum", { merchant: merchantId(merchant), campaign: campaign_id, partition: part }, { ...wanted }, found);
  }
  for (const [key, sum] of left) {
    const [campaign = "", part = ""] = key.split("/");
    report.difference({
      program: programName,
      thing: "campaign sum",
      problem: "missing",
      where: { campaign, partition: Number(part) },
      expected: { ...sum },
      found: null,
    });
  }
  report.checked("campaign sums", rows.length);
}

async function compareMerchantBalances({ snapshot, group, expected, merchantId, report }: SumsContext): Promise<void> {
  const rows = await snapshot.tx.unsafe<({ merchant: number; part: number } & Row)[]>(
    `SELECT merchant, part, cost, redeemed, breakage, written_off AS "writtenOff" FROM cashback.merchant_balance
     WHERE merchant = ANY($1::int4[]) ORDER BY 1, 2`,
    [`{${group.join(",")}}`],
  );
  const left = new Map(expected.merchants);
  for (const { merchant, part, ...found } of rows) {
    const key = `${merchant}/${part}`;
    const wanted = left.get(key) ?? { cost: 0n, redeemed: 0n, breakage: 0n, writtenOff: 0n };
    left.delete(key);
    tell(report, "merchant balance", { merchant: merchantId(merchant), partition: part }, { ...wanted }, found);
  }
  for (const [key, sum] of left) {
    const [merchant = "", part = ""] = key.split("/");
    const where = { merchant: merchantId(Number(merchant)), partition: Number(part) };
    report.difference({ program: programName, thing: "merchant balance", problem: "missing", where, expected: { ...sum }, found: null });
  }
  report.checked("merchant balances", rows.length);
}

function tell(report: Report, thing: "campaign sum" | "merchant balance", where: Where, expected: Row, found: Row): void {
  const differing = differingFields(expected, found);
  if (differing !== null) report.difference({ program: programName, thing, problem: "changed", where, ...differing });
}
