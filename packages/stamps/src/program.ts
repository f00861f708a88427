import { type NotificationEncoder, type OrderEvent, topics } from "@perkstream/contracts";
import { createMerchantCache, loadMerchants } from "@perkstream/merchant";
import { createOrderBook, decodeOrder, type OrderDecoder, type OrderEntry, scopeOf, type WorkingOrders } from "@perkstream/orders";
import { type ChunkContext, type Decoded, type Entry, placeOf, type Program } from "@perkstream/program";
import { type CardMerchant, decide, type KeyedOrder, type NoExtra, type OrderExtra, type StampsWork } from "./decide.ts";
import { PROGRAM } from "./notices.ts";
import { CardCache, loadCards } from "./store/cards.ts";
import { type Customer, customerKey, loadCustomers, saveSheets, type Wanted } from "./store/customers.ts";

export interface StampsProgramOptions {
  readonly decoder: OrderDecoder;
  readonly encoder: NotificationEncoder;
  /** Of orders.v1: then a record in another partition than its key's is a dead letter. */
  readonly partitions?: number;
}

/** The working set of one chunk. */
export interface StampsChunk extends StampsWork {
  readonly orders: WorkingOrders<OrderExtra, NoExtra>;
  readonly customers: ReadonlyMap<string, Customer>;
}

/**
 * The stamps program: counts units on cards, sends StampAdded and RewardEarned. `decode` looks at the key alone; what is of a
 * merchant that never had a card costs a chunk one statement for all of them, and leaves no row.
 *
 *   keys ─► cards of their merchants ─┬─ none: passed
 *                                     └─ some: records decoded ─► orders, customers ─► decide ─► orders, sheets
 */
export function createStampsProgram({ decoder, encoder, partitions }: StampsProgramOptions): Program<KeyedOrder, StampsChunk> {
  const cardCache = new CardCache();
  const merchantCache = createMerchantCache();
  const book = createOrderBook<OrderExtra, NoExtra>({ schema: PROGRAM, decoder, extra: { order: { counted: "json" }, refund: {} } });

  async function merchantsWithCards({ tx }: ChunkContext, entries: readonly Entry<KeyedOrder>[]): Promise<Map<string, CardMerchant>> {
    const named = new Set(entries.flatMap(({ event }) => event.merchantId ?? []));
    const cards = await loadCards(tx, named, cardCache);
    const merchants = await loadMerchants(tx, cards.keys(), merchantCache);
    return new Map([...merchants].map(([id, merchant]) => [id, { merchant, cards: cards.get(id)! }]));
  }

  return {
    name: PROGRAM,
    topic: topics.orders,
    groupId: "perkstream.stamps",
    prepare: (records) => decoder.prepare(records.map(({ value }) => value)),
    decode(record) {
      const scope = scopeOf(null, record.key);
      return { event: { merchantId: scope }, scope };
    },

    async load(context, entries) {
      const merchants = await merchantsWithCards(context, entries);
      const decoded = new Map<Entry<KeyedOrder>, Decoded<OrderEvent>>();
      for (const entry of entries) {
        const cards = merchants.get(entry.event.merchantId ?? "")?.cards;
        if (cards?.beganBefore(entry.record.partition, placeOf(entry)) === true) {
          decoded.set(entry, decodeOrder(decoder, entry.record, partitions));
        }
      }
      const events = [...decoded].flatMap(([entry, result]): OrderEntry[] =>
        "event" in result ? [{ ...entry, event: result.event }] : [],
      );
      const ids = new Map([...merchants].map(([uuid, { merchant }]) => [uuid, merchant]));
      const [orders, customers] = await Promise.all([
        book.load(context.tx, events, ids),
        loadCustomers(context.tx, wantedOf(events, merchants)),
      ]);
      return openChunk(encoder, merchants, decoded, orders, customers);
    },

    decide,

    async save({ tx }, { orders, customers }) {
      await Promise.all([orders.save(tx), saveSheets(tx, customers.values())]);
    },

    dropCaches() {
      cardCache.clear();
      merchantCache.clear();
    },
  };
}

function wantedOf(events: readonly OrderEntry[], merchants: ReadonlyMap<string, CardMerchant>): Map<string, Wanted> {
  const all = new Map<string, Wanted>();
  for (const { event, record } of events) {
    const merchant = merchants.get(event.merchantId)!.merchant.id;
    const key = customerKey(merchant, event.customerId);
    const isOrder = event.type === "OrderPlaced";
    const wanted = all.get(key);
    if (wanted === undefined) all.set(key, { merchant, customerId: event.customerId, partition: record.partition, create: isOrder });
    else wanted.create ||= isOrder;
  }
  return all;
}

function openChunk(
  encoder: NotificationEncoder,
  merchants: StampsWork["merchants"],
  decoded: StampsWork["decoded"],
  orders: StampsChunk["orders"],
  customers: StampsChunk["customers"],
): StampsChunk {
  const byAcct = new Map([...customers.values()].map((customer) => [customer.acct, customer]));
  return {
    encoder,
    merchants,
    decoded,
    orders,
    customers,
    customerOf: (merchant, customerId) => mustHave(customers.get(customerKey(merchant, customerId)), customerId),
    customerByAcct: (acct) => mustHave(byAcct.get(acct), acct),
  };
}

function mustHave(customer: Customer | undefined, name: string | number): Customer {
  if (customer === undefined) throw new Error(`customer ${name} was not loaded`);
  return customer;
}
