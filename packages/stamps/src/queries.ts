import type { Merchant } from "@perkstream/merchant";
import type { Sql, Tx } from "@perkstream/postgres";
import { CardCache, loadCards } from "./store/cards.ts";
import { customerKey, loadCustomers } from "./store/customers.ts";

/** A customer on a card. `sql` must be a pool of openSql. */
export interface CustomerCard {
  readonly cardId: string;
  readonly name: string;
  readonly category: string;
  readonly size: number;
  readonly active: boolean;
  /** On the card now, at most `size`: then the next unit is rewarded. */
  readonly stamps: number;
  /** Given so far. */
  readonly rewards: number;
  /** Of these, given for units that were refunded since: so many rewarded units to come are without a reward. */
  readonly ahead: number;
}

/**
 * What a customer has on the merchant's cards, by cardId: on those that count now, and on others that the customer has stamps or
 * rewards of. Null for a customer of whom the program knows no order.
 */
export async function customerCards(sql: Sql | Tx, merchant: Merchant, customerId: string): Promise<CustomerCard[] | null> {
  const key = customerKey(merchant.id, customerId);
  const wanted = { merchant: merchant.id, customerId, partition: 0, create: false };
  const [cards, customers] = await Promise.all([
    loadCards(sql, [merchant.merchantId], new CardCache()),
    loadCustomers(sql, new Map([[key, wanted]])),
  ]);
  const customer = customers.get(key);
  const all = cards.get(merchant.merchantId);
  if (customer === undefined || all === undefined) return null;
  return all.newest().flatMap(({ cardId, name, category, size, active }) => {
    const sheet = customer.sheets.get(cardId);
    if (sheet === undefined && !active) return [];
    const { stamps, rewards } = all.standing(cardId, sheet?.units ?? []);
    const given = sheet?.rewards ?? 0;
    return { cardId, name, category, size, active, stamps: Math.min(stamps, size), rewards: given, ahead: given - rewards };
  });
}
