/**
 * Things of several merchants by the merchant's own ids, which are unique per merchant only. Two maps deep: joining both to one text would
 * make and hash a new string at every look, several times an event.
 */
export class MerchantMap<T> {
  readonly #byMerchant = new Map<number, Map<string, T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(merchant: number, id: string): T | undefined {
    return this.#byMerchant.get(merchant)?.get(id);
  }

  has(merchant: number, id: string): boolean {
    return this.get(merchant, id) !== undefined;
  }

  set(merchant: number, id: string, value: T): void {
    let own = this.#byMerchant.get(merchant);
    if (own === undefined) this.#byMerchant.set(merchant, (own = new Map()));
    const before = own.size;
    own.set(id, value);
    this.#size += own.size - before;
  }

  delete(merchant: number, id: string): void {
    if (this.#byMerchant.get(merchant)?.delete(id) === true) this.#size -= 1;
  }

  clear(): void {
    this.#byMerchant.clear();
    this.#size = 0;
  }

  *values(): Generator<T> {
    for (const own of this.#byMerchant.values()) yield* own.values();
  }
}
