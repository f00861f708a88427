import { fromSet, insertSet, type Tx } from "@perkstream/postgres";
import { awardField } from "../awards.ts";
import { type CapPeriod, capPeriodCode, capPeriodKey, type Limits, type LocalCalendar } from "../domain/index.ts";
import { BudgetBook } from "./budgets.ts";
import type { MerchantCampaigns } from "./campaigns.ts";

const PERIODS: readonly CapPeriod[] = ["day", "month", "campaign"];

export interface CapKey {
  readonly acct: number;
  readonly campaign: number;
  readonly period: number;
  readonly key: number;
}

interface Usage extends CapKey {
  usedMinor: bigint;
  dirty: boolean;
}

/** Whose limits: `part` is the customer's partition. */
export interface LimitPlace {
  readonly acct: number;
  readonly part: number;
  /** Of the order, days since 1970. */
  readonly localDay: number;
}

/** By customer and then in a row: a customer has a few in one transaction, and joined keys would be made and hashed for every order. */
class ByCap<T extends CapKey> {
  readonly #byAcct = new Map<number, T[]>();

  get({ acct, campaign, period, key }: CapKey): T | undefined {
    return this.#byAcct.get(acct)?.find((one) => one.campaign === campaign && one.period === period && one.key === key);
  }

  add(one: T): void {
    const own = this.#byAcct.get(one.acct);
    if (own === undefined) this.#byAcct.set(one.acct, [one]);
    else own.push(one);
  }

  all(): T[] {
    return [...this.#byAcct.values()].flat();
  }
}

/** Caps and budgets of one transaction: what is used, as stored and as decided since. */
export class LimitBook {
  readonly #caps = new ByCap<Usage>();
  readonly budgets = new BudgetBook();

  /** The rows of the periods that `localDay` falls in, for every campaign whose usage is kept. */
  static keysOf(acct: number, campaigns: MerchantCampaigns, localDay: number, calendar: LocalCalendar): CapKey[] {
    if (campaigns.capPeriods === 0) return [];
    const keys: CapKey[] = [];
    for (const { campaign, capPeriods } of campaigns.byId.values()) {
      for (const period of PERIODS) {
        const code = capPeriodCode[period];
        if ((capPeriods & code) !== 0) keys.push({ acct, campaign, period: code, key: capPeriodKey(period, localDay, calendar) });
      }
    }
    return keys;
  }

  async loadCaps(tx: Tx, keys: readonly CapKey[], fromStart: (key: CapKey) => boolean): Promise<void> {
    const distinct = new ByCap<CapKey>();
    for (const key of keys) if (distinct.get(key) === undefined) distinct.add(key);
    const wanted = distinct.all();
    if (wanted.length === 0) return;
    for (const { acct, campaign, period, key, used } of await readCaps(tx, wanted)) {
      this.#caps.add({ acct: Number(acct), campaign, period, key, usedMinor: used, dirty: false });
    }
    // A period that is kept only since a later version: what was awarded before is in the orders.
    const late = wanted.filter((key) => !fromStart(key) && this.#caps.get(key) === undefined);
    for (const usage of await sumOrders(tx, late)) this.#caps.add(usage);
  }

  /** The limits of one customer for an order. `used` hears of every change, for the sums. */
  of(
    { acct, part, localDay }: LimitPlace,
    calendar: LocalCalendar,
    campaigns: MerchantCampaigns,
    used: (campaign: number, amountMinor: bigint) => void,
  ): Limits {
    const keyOf = (campaign: number, period: CapPeriod): CapKey => ({
      acct,
      campaign,
      period: capPeriodCode[period],
      key: capPeriodKey(period, localDay, calendar),
    });
    return {
      customerCapLeft: ({ campaign }, period, capMinor) => capMinor - (this.#caps.get(keyOf(campaign, period))?.usedMinor ?? 0n),
      budgetLeft: ({ campaign }, budgetMinor) => this.budgets.left(campaign, part, budgetMinor),
      use: (campaign, amountMinor) => {
        const stored = campaigns.byId.get(campaign);
        const kept = stored?.capPeriods ?? 0;
        for (const period of PERIODS) if ((kept & capPeriodCode[period]) !== 0) this.#useCap(keyOf(campaign, period), amountMinor);
        if (stored !== undefined && stored.budget !== "none") this.budgets.use(campaign, part, amountMinor);
        used(campaign, amountMinor);
      },
    };
  }

  #useCap(key: CapKey, amountMinor: bigint): void {
    const usage = this.#caps.get(key);
    if (usage === undefined) this.#caps.add({ ...key, usedMinor: amountMinor, dirty: true });
    else {
      usage.usedMinor += amountMinor;
      usage.dirty = true;
    }
  }

  async save(tx: Tx): Promise<void> {
    const caps = this.#caps.all().filter((usage) => usage.dirty);
    caps.sort((a, b) => a.acct - b.acct || a.campaign - b.campaign || a.period - b.period || a.key - b.key);
    await Promise.all([
      insertSet(
        tx,
        "cashback.cap_usage",
        { acct: "int8", campaign: "int4", period: "int2", key: "int4", used: "int8" },
        caps.map(({ acct, campaign, period, key, usedMinor }) => ({ acct, campaign, period, key, used: usedMinor })),
        "ON CONFLICT (acct, campaign, period, key) DO UPDATE SET used = excluded.used",
      ),
      this.budgets.save(tx),
    ]);
  }
}

const CAP = { acct: "int8", campaign: "int4", period: "int2", key: "int4" } as const;

async function readCaps(
  tx: Tx,
  keys: readonly CapKey[],
): Promise<readonly { acct: bigint; campaign: number; period: number; key: number; used: bigint }[]> {
  const set = fromSet(
    CAP,
    keys.map((key) => ({ ...key })),
  );
  return tx.unsafe(
    `SELECT u.acct, u.campaign, u.period, u.key, u.used FROM ${set.text} AS r JOIN cashback.cap_usage u USING (acct, campaign, period, key)`,
    set.params,
    {
      prepare: true,
    },
  );
}

/** What the customer's orders of a period hold of a campaign, from their awards. Rare: only where a cap came with a later version. */
async function sumOrders(tx: Tx, keys: readonly CapKey[]): Promise<Usage[]> {
  if (keys.length === 0) return [];
  const set = fromSet(
    CAP,
    keys.map((key) => ({ ...key })),
  );
  const rows = await tx.unsafe<{ acct: bigint; campaign: number; period: number; key: number; used: bigint }[]>(
    `SELECT r.acct, r.campaign, r.period, r.key, sum((a.award->>${awardField.current})::int8)::int8 AS used
     FROM ${set.text} AS r JOIN cashback."order" o ON o.acct = r.acct
       AND CASE r.period WHEN 1 THEN o.local_date - DATE '1970-01-01' = r.key
         WHEN 2 THEN extract(year FROM o.local_date) * 12 + extract(month FROM o.local_date) - 1 = r.key ELSE true END
       CROSS JOIN LATERAL jsonb_array_elements(o.awards::jsonb->'a') AS a(award)
     WHERE (a.award->>${awardField.campaign})::int4 = r.campaign GROUP BY r.acct, r.campaign, r.period, r.key`,
    set.params,
    { prepare: true },
  );
  return rows.map(({ acct, campaign, period, key, used }) => ({ acct: Number(acct), campaign, period, key, usedMinor: used, dirty: true }));
}
