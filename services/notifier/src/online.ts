/** Who is online here, by `merchantId:customerId`. The one place to change when instances share a registry. */
export interface OnlineCustomers<C> {
  readonly customers: number;
  add(key: string, connection: C): void;
  remove(key: string, connection: C): void;
  /** Undefined when nobody of the customer is here. */
  find(key: string): OnlineCustomer<C> | undefined;
}

export interface OnlineCustomer<C> {
  readonly connections: ReadonlySet<C>;
  /** False when this id was given out lately: the inbox dropped the record as a repeat. */
  takeId(id: string): boolean;
}

/** Ids of live notes remembered per customer: a restored source says again only what is recent. */
const maxIds = 256;

class Entry<C> implements OnlineCustomer<C> {
  readonly connections = new Set<C>();
  readonly #ids = new Set<string>();

  takeId(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > maxIds)
      for (const oldest of this.#ids) {
        this.#ids.delete(oldest);
        break;
      }
    return true;
  }
}

export function createOnlineMap<C>(): OnlineCustomers<C> {
  const entries = new Map<string, Entry<C>>();
  return {
    get customers() {
      return entries.size;
    },
    add(key, connection) {
      let entry = entries.get(key);
      if (entry === undefined) entries.set(key, (entry = new Entry()));
      entry.connections.add(connection);
    },
    remove(key, connection) {
      const entry = entries.get(key);
      if (entry === undefined) return;
      entry.connections.delete(connection);
      if (entry.connections.size === 0) entries.delete(key);
    },
    find: (key) => entries.get(key),
  };
}
