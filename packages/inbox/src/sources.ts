import { readSource } from "@perkstream/program";

/**
 * Which records of one partition of notifications.v1 are repeats.
 *
 * An outbox publishes its rows strictly by sequence, but after a crash it sends again what was not acknowledged. A row
 * keeps the epoch under which it was written, so within an epoch a sequence at or below the last one is a repeat. An
 * epoch is random and new at every assignment: after a restored database the numbers start over under another epoch.
 *
 *   record(program, part, epoch, seq) ── epoch known and seq ≤ last ──► repeat
 *                                     └─ else ──► new, last := seq
 *
 * The inbox and the live path use the same rule from the same stored state, so both take the same offsets.
 */
export interface SourceMark {
  readonly program: string;
  readonly part: number;
  readonly epoch: number;
  readonly sequence: number;
}

export type Sequences = [epoch: number, sequence: number][];

export interface StoredSource {
  readonly program: string;
  readonly sourcePart: number;
  readonly sequences: Sequences;
}

/** Epochs remembered per source: a repeat reaches back over a few assignments at most. */
const maxEpochs = 16;
/** Sources remembered per partition; records of further ones are never called repeats. */
const maxSources = 256;

/** The mark in a record's headers, or null when a producer other than a program's outbox wrote it. */
export function readMark(headers: Readonly<Record<string, Buffer>>): (SourceMark & { readonly id: string }) | null {
  const source = readSource(headers);
  return source === null
    ? null
    : { program: source.program, part: source.partition, epoch: source.epoch, sequence: source.seq, id: source.id };
}

export class Sources {
  readonly #sources = new Map<string, { stored: StoredSource; changed: boolean }>();

  constructor(stored: readonly StoredSource[] = []) {
    for (const source of stored) {
      const sequences = source.sequences.map(([epoch, sequence]): [number, number] => [epoch, sequence]);
      this.#sources.set(nameOf(source.program, source.sourcePart), { stored: { ...source, sequences }, changed: false });
    }
  }

  /** True when the record is new (and from now on known), false when it is a repeat. */
  take(mark: SourceMark): boolean {
    const name = nameOf(mark.program, mark.part);
    let source = this.#sources.get(name);
    if (source === undefined) {
      if (this.#sources.size >= maxSources) return true;
      source = { stored: { program: mark.program, sourcePart: mark.part, sequences: [] }, changed: false };
      this.#sources.set(name, source);
    }
    const { sequences } = source.stored;
    const at = lastIndexOf(sequences, mark.epoch);
    if (at >= 0) {
      const known = sequences[at]!;
      if (mark.sequence <= known[1]) return false;
      known[1] = mark.sequence;
    } else {
      sequences.push([mark.epoch, mark.sequence]);
      if (sequences.length > maxEpochs) sequences.shift();
    }
    source.changed = true;
    return true;
  }

  /** What differs from what was stored. */
  changes(): StoredSource[] {
    return [...this.#sources.values()].filter((source) => source.changed).map((source) => source.stored);
  }
}

function lastIndexOf(sequences: Sequences, epoch: number): number {
  for (let i = sequences.length - 1; i >= 0; i--) if (sequences[i]![0] === epoch) return i;
  return -1;
}

function nameOf(program: string, part: number): string {
  return `${program}\n${part}`;
}
