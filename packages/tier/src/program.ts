import { type NotificationEncoder, type OrderEvent, topics } from "@perkstream/contracts";
import { createMerchantCache, loadMerchants } from "@perkstream/merchant";
import { createOrderBook, decodeOrder, type OrderDecoder, type OrderEntry, type WorkingOrders } from "@perkstream/orders";
import { type ChunkContext, holdsFrom, type Program } from "@perkstream/program";
import { ChangeLog, PROGRAM } from "./changes.ts";
import type { Customer } from "./customer.ts";
import { decide, effectsOn, type NoExtra, type OrderLevels, type TierWork } from "./decide.ts";
import type { MerchantRules } from "./merchant-rules.ts";
import { AccountIds, customerKey, loadAccounts } from "./store/accounts.ts";
import { expectedOf, expectParked, openCustomers, RulesCache, wantedOf } from "./store/load.ts";
import { numbering, saveCustomers } from "./store/save.ts";
import { redriven } from "./redriven.ts";
import { createSweep, editedPartitions, sweepablePartitions } from "./sweep.ts";

export interface TierProgramOptions {
  readonly decoder: OrderDecoder;
  readonly encoder: NotificationEncoder;
  /** The consumer group; default `perkstream.tier`. */
  readonly groupId?: string;
  /** Of orders.v1: then a record in another partition than its key's is a dead letter. */
  readonly partitions?: number;
}

/** The working set of one chunk. */
export interface TierChunk extends TierWork {
  readonly orders: WorkingOrders<OrderLevels, NoExtra>;
  readonly customers: ReadonlyMap<string, Customer>;
  /** Per partition, where what the last entry changed holds from. */
  readonly endOffsets: ReadonlyMap<number, number>;
}

/**
 * The tier program: counts orders and refunds, keeps levels and their history, sends TierChanged.
 * A chunk asks the database in four steps (merchants; ladders, orders and customers; days, if any; all writes).
 */
export function createTierProgram({ decoder, encoder, groupId, partitions }: TierProgramOptions): Program<OrderEvent, TierChunk> {
  const merchantCache = createMerchantCache();
  const rulesCache = new RulesCache();
  const ids = new AccountIds();
  const book = createOrderBook<OrderLevels, NoExtra>({
    schema: PROGRAM,
    decoder,
    extra: { order: { level_before: "text", level_after: "text" }, refund: {} },
  });
  return {
    name: PROGRAM,
    topic: topics.orders,
    groupId: groupId ?? "perkstream.tier",
    prepare: (records) => decoder.prepare(records.map(({ value }) => value)),
    decode: (record) => decodeOrder(decoder, record, partitions),

    async load(context, entries) {
      const { tx } = context;
      const merchants = await loadMerchants(tx, merchantIds(entries), merchantCache);
      const [rulesById, orders] = await Promise.all([rulesCache.load(tx, merchants.values()), book.load(tx, entries, merchants)]);
      const rules = new Map([...merchants].map(([uuid, { id }]) => [uuid, rulesById.get(id)!]));
      const expected = expectedOf(entries, rules);
      expectParked(entries, expected, rules, orders);
      const rows = await loadAccounts(tx, wantedOf(expected), ids);
      const customers = await openCustomers(tx, rows, expected);
      return openChunk(context, encoder, entries, rules, orders, customers);
    },

    decide,

    async save({ tx }, { orders, customers, changes, endOffsets }) {
      await Promise.all([
        orders.save(tx),
        saveCustomers(tx, customers.values(), changes.recorded, (partition) => endOffsets.get(partition) ?? 0),
      ]);
    },

    committed({ customers }) {
      for (const [key, { acct }] of customers) ids.set(key, acct);
    },

    dropCaches() {
      merchantCache.clear();
      rulesCache.ladders.clear();
      ids.clear();
    },

    sweepable: sweepablePartitions,
    urgent: editedPartitions,
    sweep: createSweep({ encoder, rulesCache, merchantCache }),
    redriven,
  };
}

function merchantIds(entries: readonly OrderEntry[]): Set<string> {
  return new Set(entries.map(({ event }) => event.merchantId));
}

function openChunk(
  context: ChunkContext,
  encoder: NotificationEncoder,
  entries: readonly OrderEntry[],
  merchants: ReadonlyMap<string, MerchantRules>,
  orders: WorkingOrders<OrderLevels, NoExtra>,
  customers: ReadonlyMap<string, Customer>,
): TierChunk {
  const byAcct = new Map([...customers.values()].map((customer) => [customer.acct, customer]));
  const work = {
    merchants,
    orders,
    customers,
    changes: new ChangeLog(encoder, numbering(context.progress)),
    endOffsets: new Map(entries.map((entry) => [entry.record.partition, holdsFrom(entry)])),
    customerOf: (merchant: number, customerId: string) => mustHave(customers.get(customerKey(merchant, customerId)), customerId),
    customerByAcct: (acct: number) => mustHave(byAcct.get(acct), acct),
  };
  return { ...work, effects: effectsOn(work) };
}

function mustHave(customer: Customer | undefined, name: string | number): Customer {
  if (customer === undefined) throw new Error(`customer ${name} was not loaded`);
  return customer;
}
