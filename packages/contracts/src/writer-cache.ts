import type { Registry } from "./registry.ts";

/** The zero byte and the id of the Confluent framing. */
export const framingBytes = 5;
/** Ids remembered, known and unknown ones together. */
const maxIds = 10_000;
/** After so long an id that the registry did not know is asked again: its schema may have been registered since. */
const askAgainMs = 30_000;
const requestsAtOnce = 8;

type Entry<T> =
  | { readonly known: T }
  /** `askAgainAt` is null for a schema that the registry has but we cannot use: it will never change. */
  | { readonly unusable: string; readonly askAgainAt: number | null };

/** The id of a framed value, or why there is none. */
export function schemaIdOf(value: Buffer | null): number | string {
  if (value === null) return "a record without a value";
  if (value.length < framingBytes) return `${value.length} bytes are too few for the framing`;
  if (value[0] !== 0) return `the first byte is ${value[0]}, not the framing's 0`;
  return value.readInt32BE(1);
}

/**
 * What was made of each writer's schema, by id. The registry is asked once per id, however many ask at the same time; what
 * it does not know is remembered for a while. `make` turns a schema's text into something usable or says why it cannot.
 */
export class WriterCache<T> {
  private readonly registry: Registry;
  private readonly make: (schema: string, id: number) => { known: T } | { unusable: string };
  private readonly now: () => number;
  /** In the order of their last use. */
  private readonly entries = new Map<number, Entry<T>>();
  /** Ids of the batches whose `prepare` has not ended. */
  private readonly preparing = new Set<ReadonlySet<number>>();
  private readonly asking = new Map<number, Promise<void>>();

  constructor(registry: Registry, make: (schema: string, id: number) => { known: T } | { unusable: string }, now: () => number) {
    this.registry = registry;
    this.make = make;
    this.now = now;
  }

  /** Asks the registry for every id of these values that is not known yet. Rejects on an outage of the registry. */
  async prepare(values: readonly (Buffer | null)[]): Promise<void> {
    const ids = idsOf(values);
    this.preparing.add(ids);
    try {
      const missing = this.missingIds(ids);
      for (let from = 0; from < missing.length; from += requestsAtOnce) {
        await Promise.all(missing.slice(from, from + requestsAtOnce).map((id) => this.ask(id)));
      }
    } finally {
      this.preparing.delete(ids);
    }
  }

  /** What `prepare` learned of an id. Throws when it was not prepared, which is a defect of the caller. */
  get(id: number): Entry<T> {
    const entry = this.entries.get(id);
    if (entry !== undefined) return entry;
    if (id <= 0) return { unusable: `${id} is no schema id`, askAgainAt: null };
    throw new Error(`schema id ${id} was decoded without prepare()`);
  }

  private missingIds(ids: ReadonlySet<number>): number[] {
    const missing: number[] = [];
    for (const id of ids) {
      const entry = this.entries.get(id);
      if (entry === undefined || ("unusable" in entry && entry.askAgainAt !== null && entry.askAgainAt <= this.now())) missing.push(id);
      if (entry === undefined) continue;
      this.entries.delete(id); // put back as the last used
      this.entries.set(id, entry);
    }
    this.makeRoom(missing.length);
    return missing;
  }

  private ask(id: number): Promise<void> {
    let asking = this.asking.get(id);
    if (asking === undefined) {
      asking = this.fetch(id).finally(() => this.asking.delete(id));
      this.asking.set(id, asking);
    }
    return asking;
  }

  private async fetch(id: number): Promise<void> {
    const text = await this.registry.schemaOf(id);
    if (text === null) {
      this.entries.set(id, { unusable: `schema id ${id} is not in the registry`, askAgainAt: this.now() + askAgainMs });
      return;
    }
    const made = this.make(text, id);
    this.entries.set(id, "known" in made ? made : { ...made, askAgainAt: null });
  }

  /**
   * Drops before a batch is asked for, never what a batch will need: first what cannot be used, since anybody can write an
   * id that the registry lacks, then schemas; of both, those not used for longest. One batch may need more than `maxIds`.
   */
  private makeRoom(wanted: number): void {
    for (const droppable of ["unusable", "known"] as const) {
      if (this.entries.size + wanted <= maxIds) return;
      for (const [id, entry] of this.entries) {
        if (this.entries.size + wanted <= maxIds) return;
        if (droppable in entry && !this.isNeeded(id)) this.entries.delete(id);
      }
    }
  }

  private isNeeded(id: number): boolean {
    for (const ids of this.preparing) if (ids.has(id)) return true;
    return false;
  }
}

/** The schema ids of values; those that can be none are left out. */
function idsOf(values: readonly (Buffer | null)[]): ReadonlySet<number> {
  const ids = new Set<number>();
  let last = 0;
  for (const value of values) {
    const id = schemaIdOf(value);
    if (typeof id !== "number" || id === last || id <= 0) continue;
    last = id;
    ids.add(id);
  }
  return ids;
}
