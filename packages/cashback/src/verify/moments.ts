/** A binary heap: what comes first by its moment (ms). Nothing is taken back from it; who pops something asks whether it still stands. */
export class Moments<T> {
  // Two plain arrays: there may be one for each of a hundred thousand lots.
  readonly #times: number[] = [];
  readonly #items: T[] = [];

  get firstAt(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY;
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  push(at: number, item: T): void {
    this.#items.push(item);
    let index = this.#times.push(at) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#times[parent]! <= this.#times[index]!) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  pop(): T | undefined {
    const first = this.#items[0];
    const lastAt = this.#times.pop();
    const last = this.#items.pop();
    if (lastAt === undefined || last === undefined || this.#times.length === 0) return first;
    this.#times[0] = lastAt;
    this.#items[0] = last;
    for (let index = 0; ;) {
      let least = index;
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < this.#times.length && this.#times[child]! < this.#times[least]!) least = child;
      }
      if (least === index) return first;
      this.#swap(index, least);
      index = least;
    }
  }

  #swap(a: number, b: number): void {
    const at = this.#times[a]!;
    const item = this.#items[a]!;
    this.#times[a] = this.#times[b]!;
    this.#items[a] = this.#items[b]!;
    this.#times[b] = at;
    this.#items[b] = item;
  }
}
