import {
  fixedRegistry,
  openJsonDecoder,
  openNotificationEncoder,
  openOrderDecoder,
  openOrderEncoder,
  type OrderEvent,
} from "@perkstream/contracts";
import type { Merchant } from "@perkstream/merchant";
import { emptyOrders } from "@perkstream/orders";
import type { Decoded, Entry, Notice, Outcome } from "@perkstream/program";
import { type CardVersion, MerchantCards } from "../cards.ts";
import { decide, type KeyedOrder, type NoExtra, type OrderExtra, type StampsWork } from "../decide.ts";
import { Customer } from "../store/customers.ts";

export const merchantId = "4f981b0b-accf-4eb7-8018-7cd651c7e907";
const settings = { currency: "USD", timeZone: "UTC", clawbackPolicy: "allow_negative", expiringNoticeDays: 0 } as const;
const merchant: Merchant = {
  id: 1,
  merchantId,
  name: "Shop",
  clock: "real",
  revision: "1",
  versions: [{ ...settings, version: 1, sharedFrom: [], cashbackFrom: [] }],
};

const registry = fixedRegistry();
const decoder = openOrderDecoder(registry);
const reader = openJsonDecoder(registry);
const encoder = await openNotificationEncoder(registry);
const orderEncoder = await openOrderEncoder(registry);

/** A notice's record as JSON, with its type. */
export interface Told extends Readonly<Record<string, unknown>> {
  readonly type: string;
}

/** The program's decisions without a database: one customer of one merchant, one partition. */
export function memoryProgram(versions: readonly Omit<CardVersion, "edit">[]) {
  const cards = new MerchantCards(versions.map((version, i) => ({ ...version, edit: i + 1 })));
  const customer = new Customer(7);
  const decoded = new Map<Entry<KeyedOrder>, Decoded<OrderEvent>>();
  const work: StampsWork = {
    encoder,
    merchants: new Map([[merchantId, { merchant, cards }]]),
    decoded,
    orders: emptyOrders<OrderExtra, NoExtra>(decoder),
    customerOf: () => customer,
    customerByAcct: () => customer,
  };
  const notices: Notice[] = [];
  let offset = 0;
  return {
    customer,
    cards,
    notices,
    feed(event: OrderEvent): Outcome {
      const key = Buffer.from(`${event.merchantId}:${event.customerId}`);
      const record = { partition: 0, offset: offset++, timestamp: event.occurredAt, key, value: orderEncoder.encode(event), headers: {} };
      const entry = { record, scope: merchantId, event: { merchantId } };
      decoded.set(entry, { event });
      const outcome = decide(work, entry);
      notices.push(...outcome.notices);
      return outcome;
    },
    async told(): Promise<Told[]> {
      await reader.prepare(notices.map(({ value }) => value));
      return notices.map(({ value }) => {
        const read = reader.decode(value);
        if (!read.ok) throw new Error(read.message);
        return { type: read.event.type, ...read.event.data };
      });
    },
  };
}
