import { insertSet, type Tx } from "@perkstream/postgres";
import { account, kind, type Transfer } from "../domain/index.ts";

interface CampaignSum {
  readonly campaign: number;
  readonly part: number;
  awarded: bigint;
  reversed: bigint;
  redeemed: bigint;
  customers: number;
}

interface MerchantSum {
  readonly merchant: number;
  readonly part: number;
  cost: bigint;
  redeemed: bigint;
  breakage: bigint;
  writtenOff: bigint;
}

/** What one transaction adds to the sums that are kept per partition. */
export class Sums {
  readonly #campaigns = new Map<string, CampaignSum>();
  readonly #merchants = new Map<string, MerchantSum>();

  used(part: number, campaign: number, amountMinor: bigint): void {
    const sum = this.#campaign(part, campaign);
    if (amountMinor > 0n) sum.awarded += amountMinor;
    else sum.reversed -= amountMinor;
  }

  customer(part: number, campaign: number): void {
    this.#campaign(part, campaign).customers += 1;
  }

  transfer(part: number, merchant: number, { lot, kind: what, debit, credit, amountMinor }: Transfer): void {
    if (what === kind.redeem) this.#campaign(part, lot.campaign).redeemed += amountMinor;
    else if (what === kind.putBack) this.#campaign(part, lot.campaign).redeemed -= amountMinor;
    if (debit > account.debt) this.#move(part, merchant, debit, -amountMinor);
    if (credit > account.debt) this.#move(part, merchant, credit, amountMinor);
  }

  #move(part: number, merchant: number, to: number, amountMinor: bigint): void {
    const key = `${merchant}/${part}`;
    let sum = this.#merchants.get(key);
    if (sum === undefined) this.#merchants.set(key, (sum = { merchant, part, cost: 0n, redeemed: 0n, breakage: 0n, writtenOff: 0n }));
    if (to === account.cost) sum.cost += amountMinor;
    else if (to === account.redeemed) sum.redeemed += amountMinor;
    else if (to === account.breakage) sum.breakage += amountMinor;
    else sum.writtenOff += amountMinor;
  }

  #campaign(part: number, campaign: number): CampaignSum {
    const key = `${campaign}/${part}`;
    let sum = this.#campaigns.get(key);
    if (sum === undefined) this.#campaigns.set(key, (sum = { campaign, part, awarded: 0n, reversed: 0n, redeemed: 0n, customers: 0 }));
    return sum;
  }

  async save(tx: Tx): Promise<void> {
    await Promise.all([
      insertSet(
        tx,
        "cashback.campaign_stat AS s",
        { campaign: "int4", part: "int4", awarded: "int8", reversed: "int8", redeemed: "int8", customers: "int8" },
        [...this.#campaigns.values()].sort((a, b) => a.campaign - b.campaign || a.part - b.part),
        `ON CONFLICT (campaign, part) DO UPDATE SET awarded = s.awarded + excluded.awarded, reversed = s.reversed + excluded.reversed,
           redeemed = s.redeemed + excluded.redeemed, customers = s.customers + excluded.customers`,
      ),
      insertSet(
        tx,
        "cashback.merchant_balance AS b",
        { merchant: "int4", part: "int4", cost: "int8", redeemed: "int8", breakage: "int8", written_off: "int8" },
        [...this.#merchants.values()]
          .sort((a, b) => a.merchant - b.merchant || a.part - b.part)
          .map(({ merchant, part, cost, redeemed, breakage, writtenOff }) => ({
            merchant,
            part,
            cost,
            redeemed,
            breakage,
            written_off: writtenOff,
          })),
        `ON CONFLICT (merchant, part) DO UPDATE SET cost = b.cost + excluded.cost, redeemed = b.redeemed + excluded.redeemed,
           breakage = b.breakage + excluded.breakage, written_off = b.written_off + excluded.written_off`,
      ),
    ]);
  }
}
