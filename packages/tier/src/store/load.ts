import type { Merchant } from "@perkstream/merchant";
import type { Sql, Tx } from "@perkstream/postgres";
import { END_OF_TIME_MS, type OrderEntry, type WorkingOrders } from "@perkstream/orders";
import { placeOf } from "@perkstream/program";
import { Customer } from "../customer.ts";
import type { NoExtra, OrderLevels } from "../decide.ts";
import { type Ahead, DayBook, daysNeededFrom, needsDays } from "../domain/index.ts";
import { MerchantRules } from "../merchant-rules.ts";
import { type AccountRow, stateOf } from "./account-row.ts";
import { customerKey, type Wanted } from "./accounts.ts";
import { type DaysWanted, loadDays } from "./days.ts";
import { LadderCache, loadLadders } from "./ladders.ts";

/** Merchants with their ladders; those that did not change since are kept, with what they have compiled. */
export class RulesCache {
  readonly ladders = new LadderCache();
  readonly #compiled = new WeakMap<Merchant, MerchantRules>();

  /** By surrogate id; one statement. */
  async load(tx: Tx | Sql, merchants: Iterable<Merchant>): Promise<Map<number, MerchantRules>> {
    const all = [...merchants];
    const versions = await loadLadders(
      tx,
      all.map(({ id }) => id),
      this.ladders,
    );
    return new Map(all.map((merchant) => [merchant.id, this.#rulesOf(merchant, versions.get(merchant.id) ?? [])]));
  }

  #rulesOf(merchant: Merchant, versions: MerchantRules["versions"]): MerchantRules {
    const known = this.#compiled.get(merchant);
    if (known !== undefined && known.newestVersion === versions.length) return known;
    const rules = new MerchantRules(merchant, versions);
    this.#compiled.set(merchant, rules);
    return rules;
  }
}

/** What the events of a chunk will do to each of their customers, as far as can be told before they are judged. */
interface Expected {
  latestAsOf: number;
  netMinor: bigint;
  orders: number;
  earliestDay: number;
  refunds: boolean;
  partition: number;
  /** Offset of the last event: the newest rules of the chunk. */
  lastOffset: number;
  readonly customerId: string;
  readonly rules: MerchantRules;
  /** A new order is among them. */
  create: boolean;
}

/** The customers that entries name, with what is expected of them, by key. */
export function expectedOf(entries: readonly OrderEntry[], merchants: ReadonlyMap<string, MerchantRules>): Map<string, Expected> {
  const all = new Map<string, Expected>();
  for (const entry of entries) {
    const { event, record } = entry;
    const rules = merchants.get(event.merchantId);
    if (rules === undefined) continue;
    const place = placeOf(entry);
    const key = customerKey(rules.id, event.customerId);
    let expected = all.get(key);
    if (expected === undefined) all.set(key, (expected = nothingOf(event.customerId, rules, record.partition)));
    expected.latestAsOf = Math.max(expected.latestAsOf, record.timestamp, event.occurredAt);
    expected.lastOffset = place;
    if (event.type === "OrderPlaced") {
      expected.create = true;
      expected.orders++;
      for (const line of event.lines) expected.netMinor += line.netMinor;
      const { calendar } = rules.rulesOf(rules.versionAt(record.partition, place), record.partition, place);
      expected.earliestDay = Math.min(expected.earliestDay, calendar.localDay(event.occurredAt));
    } else {
      expected.refunds = true;
    }
  }
  return all;
}

function nothingOf(customerId: string, rules: MerchantRules, partition: number): Expected {
  return {
    customerId,
    rules,
    partition,
    latestAsOf: Number.NEGATIVE_INFINITY,
    netMinor: 0n,
    orders: 0,
    earliestDay: Number.POSITIVE_INFINITY,
    refunds: false,
    lastOffset: 0,
    create: false,
  };
}

/** A refund that was parked earlier comes with its order. */
export function expectParked(
  entries: readonly OrderEntry[],
  expected: ReadonlyMap<string, Expected>,
  merchants: ReadonlyMap<string, MerchantRules>,
  orders: WorkingOrders<OrderLevels, NoExtra>,
): void {
  for (const { event } of entries) {
    const rules = merchants.get(event.merchantId);
    if (rules === undefined || event.type !== "OrderPlaced" || !orders.waits(rules.id, event.orderId)) continue;
    // When it was made is not known here: anything may be due by then.
    const customer = expected.get(customerKey(rules.id, event.customerId))!;
    customer.refunds = true;
    customer.latestAsOf = END_OF_TIME_MS;
  }
}

export function wantedOf(expected: ReadonlyMap<string, Expected>): Map<string, Wanted> {
  return new Map(
    [...expected].map(([key, { customerId, rules, partition, create }]) => [
      key,
      { merchant: rules.id, customerId, partition, manual: rules.merchant.clock === "manual", create },
    ]),
  );
}

/** Customers with the days that their events may look at; by one statement, and none if nobody needs any. */
export async function openCustomers(
  tx: Tx | Sql,
  rows: ReadonlyMap<string, AccountRow>,
  expected: ReadonlyMap<string, Expected>,
): Promise<Map<string, Customer>> {
  const wanted: DaysWanted[] = [];
  for (const [key, row] of rows) {
    const need = row.known ? neededDays(row, expected.get(key)!) : null;
    if (need !== null) wanted.push(need);
  }
  const books = await loadDays(tx, wanted);
  const customers = new Map<string, Customer>();
  for (const [key, row] of rows) customers.set(key, customerOf(row, expected.get(key)!.rules, books.get(Number(row.acct)) ?? null));
  return customers;
}

function customerOf(row: AccountRow, rules: MerchantRules, days: DayBook | null): Customer {
  return new Customer({
    acct: Number(row.acct),
    rules,
    customerId: row.customer_id,
    partition: row.part,
    state: stateOf(row),
    known: row.known,
    seq: row.seq,
    levelOffset: Number(row.level_off),
    days: row.known ? days : new DayBook(),
  });
}

function neededDays(row: AccountRow, expected: Expected): DaysWanted | null {
  const { rules, partition, lastOffset } = expected;
  const state = stateOf(row);
  const version = rules.versionAt(partition, lastOffset);
  const inForce = rules.rulesOf(version, partition, lastOffset);
  const ahead: Ahead = expected;
  if (!needsDays(inForce, state, ahead)) return null;
  const fromDay = version === row.ladder_version ? daysNeededFrom(inForce, state) : Number.NEGATIVE_INFINITY;
  return { acct: Number(row.acct), fromDay, firstDay: state.firstDay };
}

/** Customers with as many days as time and commands may look at, or with all of them. */
export async function openForTime(
  tx: Tx | Sql,
  rows: readonly AccountRow[],
  rulesOf: ReadonlyMap<number, MerchantRules>,
  at: (partition: number) => number,
  days: "needed" | "all" = "needed",
): Promise<Customer[]> {
  const wanted = rows
    .filter(({ known }) => known)
    .map((row): DaysWanted => {
      const rules = rulesOf.get(row.merchant)!;
      const offset = at(row.part);
      const state = stateOf(row);
      const current = row.ladder_version === rules.versionAt(row.part, offset);
      const fromDay =
        current && days === "needed"
          ? daysNeededFrom(rules.rulesOf(row.ladder_version, row.part, offset), state)
          : Number.NEGATIVE_INFINITY;
      return { acct: Number(row.acct), fromDay, firstDay: state.firstDay };
    });
  const books = await loadDays(tx, wanted);
  return rows.map((row) => customerOf(row, rulesOf.get(row.merchant)!, books.get(Number(row.acct)) ?? null));
}
