import { topics } from "@perkstream/contracts";
import { fromSet, insertSet } from "@perkstream/postgres";
import {
  SOURCE_HEADER,
  type ChunkContext,
  type Decoded,
  type Entry,
  type Outcome,
  type Program,
  type SourceRecord,
} from "@perkstream/program";
import { AccountCache, ensureAccounts, type Newcomer } from "./accounts.ts";
import { isUuid, parseCustomerKey, type Customer } from "./customer.ts";
import { sweepOld } from "./retention.ts";
import { readMark, Sources, type Sequences, type SourceMark } from "./sources.ts";

export const inboxName = "inbox";
export const inboxGroup = "perkstream.inbox";
export const inboxTopic: string = topics.notifications;

const dayMs = 86_400_000;
/** How long a partition without old rows is left alone, ms. */
const retentionRestMs = 10 * 60_000;
export const defaultRetentionMs = 90 * dayMs;

/** A notification to store. */
export interface InboxEvent extends Customer {
  readonly key: string;
  readonly id: string;
  readonly mark: SourceMark | null;
}

/**
 * Reads the id of a record that no outbox wrote (a program's has it in its header, so its value is not decoded here).
 * `openJsonDecoder` of contracts fits.
 */
export interface RecordReader {
  /** Rejects on an outage of the registry. */
  prepare(values: readonly (Buffer | null)[]): Promise<void>;
  decode(
    value: Buffer | null,
  ):
    | { readonly ok: true; readonly event: { readonly data: Readonly<Record<string, unknown>> } }
    | { readonly ok: false; readonly message: string };
}

export interface InboxSettings {
  readonly reader: RecordReader;
  /** Milliseconds since 1970; what `stored_at` and retention go by. */
  readonly now: () => number;
  /** How long a notification is kept, in ms. Default 90 days. */
  readonly retentionMs?: number;
  /** Others than the product's own, for tests that share a broker. */
  readonly topic?: string;
  readonly groupId?: string;
}

interface Row {
  readonly key: string;
  readonly part: number;
  readonly off: number;
  readonly id: string;
  readonly record: Buffer;
}

export interface InboxWork {
  readonly accounts: ReadonlyMap<string, number>;
  readonly learned: ReadonlyMap<string, number>;
  readonly sources: ReadonlyMap<number, Sources>;
  readonly rows: Row[];
  readonly ids: Set<string>;
}

/**
 * Rows are inserted without ON CONFLICT, which costs a third more, since sequences already tell nearly every repeat. A chunk that
 * meets one all the same (a restored source says it again) is repeated with it, and so are the next ones: repeats come in rows.
 */
const CAREFUL_CHUNKS = 100;

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "23505";
}

const done: Outcome = { result: "applied", notices: [] };
const repeat: Outcome = { result: "duplicate", notices: [] };

/**
 * The program that stores notifications, exactly once per customer and id.
 *
 *   record ─► key and id readable? ─no─► dead letter
 *              └─yes─► (epoch, sequence) of its source already seen? ─yes─► duplicate
 *                       └─no─► row, unless (customer, id) is there already: a restored source says it again
 */
export function createInboxProgram(settings: InboxSettings): Program<InboxEvent, InboxWork> {
  const { reader, now, retentionMs = defaultRetentionMs, topic = inboxTopic, groupId = inboxGroup } = settings;
  const cache = new AccountCache();
  const restsUntil = new Map<number, number>();
  let carefulChunks = 0;
  return {
    name: inboxName,
    topic,
    groupId,
    prepare: (records) => reader.prepare(records.filter(({ headers }) => !(SOURCE_HEADER in headers)).map(({ value }) => value)),
    decode: (record) => decode(reader, record),
    load: (context, entries) => load(cache, context, entries),
    decide,
    async save(context, work) {
      try {
        await save(context, work, now(), carefulChunks > 0 ? "ON CONFLICT DO NOTHING" : "");
      } catch (error) {
        if (isUniqueViolation(error)) carefulChunks = CAREFUL_CHUNKS;
        throw error;
      }
    },
    committed(work) {
      if (carefulChunks > 0) carefulChunks -= 1;
      cache.learn(work.learned);
    },
    dropCaches: () => cache.clear(),
    sweep: async (context, request) => {
      // Nothing is due before the oldest row is, and looking for it reads many blocks: a partition without old rows rests for a while.
      if (request.until < (restsUntil.get(request.partition) ?? 0)) return { notices: [], applied: [], more: false };
      const swept = await sweepOld(context.tx, request, Math.min(request.until, now()) - retentionMs);
      if (!swept.more) restsUntil.set(request.partition, request.until + Math.min(retentionRestMs, retentionMs / 10));
      return swept;
    },
  };
}

function decode(reader: RecordReader, record: SourceRecord): Decoded<InboxEvent> & { readonly scope: string | null } {
  const key = record.key?.toString("utf8") ?? "";
  const customer = parseCustomerKey(key);
  if (customer === null) return rejected("invalid_key", "the key is not merchantId:customerId", null);
  const mark = readMark(record.headers);
  if (mark !== null && record.value !== null) return { event: { ...customer, key, id: mark.id, mark }, scope: customer.merchant };
  const decoded = reader.decode(record.value);
  if (!decoded.ok) return rejected("invalid_event", decoded.message, customer.merchant);
  const id = decoded.event.data["id"];
  if (typeof id !== "string" || !isUuid(id)) return rejected("invalid_event", "id is not a UUID in lower case", customer.merchant);
  return { event: { ...customer, key, id, mark: null }, scope: customer.merchant };
}

function rejected(reason: string, message: string, scope: string | null) {
  return { rejected: { reason, message }, scope };
}

async function load(cache: AccountCache, context: ChunkContext, entries: readonly Entry<InboxEvent>[]): Promise<InboxWork> {
  const accounts = new Map<string, number>();
  const unknown = new Map<string, Newcomer>();
  for (const { event, record } of entries) {
    const acct = cache.get(event.key);
    if (acct !== undefined) accounts.set(event.key, acct);
    else unknown.set(event.key, { merchant: event.merchant, customerId: event.customerId, part: record.partition });
  }
  const learned = unknown.size === 0 ? new Map<string, number>() : await ensureAccounts(context.tx, unknown);
  for (const [key, acct] of learned) accounts.set(key, acct);
  return { accounts, learned, sources: await loadSources(context), rows: [], ids: new Set() };
}

async function loadSources({ tx, progress }: ChunkContext): Promise<Map<number, Sources>> {
  const partitions = fromSet(
    { part: "int4" },
    [...progress.keys()].map((part) => ({ part })),
  );
  const rows = await tx.unsafe<{ part: number; program: string; source_part: number; sequences: Sequences }[]>(
    `SELECT s.part, s.program, s.source_part, s.sequences FROM ${partitions.text} AS r JOIN inbox.source s USING (part)`,
    partitions.params,
    { prepare: true },
  );
  const byPart = Map.groupBy(rows, (row) => row.part);
  return new Map(
    [...progress.keys()].map((part) => [
      part,
      new Sources((byPart.get(part) ?? []).map((row) => ({ program: row.program, sourcePart: row.source_part, sequences: row.sequences }))),
    ]),
  );
}

function decide(work: InboxWork, { event, record }: Entry<InboxEvent>): Outcome {
  if (event.mark !== null && !work.sources.get(record.partition)!.take(event.mark)) return repeat;
  const once = `${event.key}:${event.id}`;
  if (work.ids.has(once)) return repeat;
  work.ids.add(once);
  work.rows.push({ key: event.key, part: record.partition, off: record.offset, id: event.id, record: record.value! });
  return done;
}

/** `suffix` follows the INSERT of notifications. Rows go in key order: neighbours in the indexes are then written one after the other. */
async function save({ tx }: ChunkContext, work: InboxWork, storedAt: number, suffix: string): Promise<void> {
  const rows = work.rows.map(({ key, part, off, id, record }) => ({
    acct: work.accounts.get(key)!,
    part,
    off,
    id,
    stored_at: storedAt,
    record,
  }));
  rows.sort((a, b) => a.acct - b.acct || a.off - b.off);
  await insertSet(
    tx,
    "inbox.notification",
    { acct: "int8", part: "int4", off: "int8", id: "uuid", stored_at: "timestamptz", record: "bytea" },
    rows,
    suffix,
  );
  const changed = [...work.sources].flatMap(([part, sources]) =>
    sources.changes().map((one) => ({ part, program: one.program, source_part: one.sourcePart, sequences: one.sequences })),
  );
  await insertSet(
    tx,
    "inbox.source",
    { part: "int4", program: "text", source_part: "int4", sequences: "jsonb" },
    changed,
    "ON CONFLICT (part, program, source_part) DO UPDATE SET sequences = EXCLUDED.sequences",
  );
}
