import type { NotificationEvent, RecordDecoder } from "@perkstream/contracts";
import {
  type CustomerKey,
  differingFields,
  type ExpectedNotice,
  type Fields,
  type FoundNotice,
  type Group,
  NoticeMatch,
  type NoticeSink,
  type Report,
  type RowStream,
  type Snapshot,
  shownAt,
} from "@perkstream/verify";
import type { InboxState } from "./inbox-state.ts";
import type { VerifiedProgram } from "./options.ts";

interface NoticeRow {
  readonly merchant: number;
  readonly customer_id: string;
  readonly off: bigint | null;
  readonly id: string;
  readonly value: Buffer;
}

/** Missing notifications that are kept until it is known how many are on their way, per program and partition. */
const MISSING_KEPT = 20_000;

/** Which program sends a record; others are nobody's here. */
function programOf(type: string): VerifiedProgram | null {
  if (type === "TierChanged") return "tier";
  return type.startsWith("Cashback") ? "cashback" : null;
}

interface Missing {
  readonly customer: CustomerKey;
  readonly expected: ExpectedNotice<VerifiedProgram>;
}

/** Compares the notifications that the replays give with the inbox and the outboxes, customer by customer. */
export class NoticeVerifier {
  readonly #decoder: RecordDecoder<NotificationEvent>;
  readonly #state: InboxState;
  readonly #report: Report;
  readonly #missing = new Map<string, Missing[]>();
  #stream: RowStream<NoticeRow> | null = null;

  constructor(decoder: RecordDecoder<NotificationEvent>, state: InboxState, report: Report) {
    this.#decoder = decoder;
    this.#state = state;
    this.#report = report;
  }

  /** The notifications of the next group of merchants. */
  begin(snapshot: Snapshot, group: Group): void {
    this.#stream = openNotices(snapshot, group);
  }

  customer(customer: CustomerKey): CustomerNotices {
    if (this.#stream === null) throw new Error("no group was begun");
    return new CustomerNotices(customer, this.#stream, this.#decoder, this.#state, this.#report, (missing) =>
      this.#note(customer, missing),
    );
  }

  #note(customer: CustomerKey, expected: ExpectedNotice<VerifiedProgram>): void {
    const key = `${expected.program}/${expected.place.partition}`;
    const list = this.#missing.get(key);
    if (list === undefined) this.#missing.set(key, [{ customer, expected }]);
    else if (list.length < MISSING_KEPT) list.push({ customer, expected });
  }

  /** Tells what is missing, but for as many of a partition's last ones as are on their way to the inbox. */
  async finish(): Promise<void> {
    for (const [key, list] of this.#missing) {
      const onTheirWay = this.#state.onTheirWay.get(key) ?? 0;
      list.sort(
        (a, b) =>
          b.expected.place.offset - a.expected.place.offset ||
          b.expected.place.n - a.expected.place.n ||
          b.expected.order - a.expected.order,
      );
      if (onTheirWay > 0) this.#report.checked("notifications on their way", Math.min(onTheirWay, list.length));
      for (const { customer, expected } of list.slice(onTheirWay).toReversed()) {
        const event = await decode(this.#decoder, expected.notice.value);
        this.#report.difference({
          program: expected.program,
          thing: "notification",
          problem: "missing",
          where: {
            merchant: customer.merchantId,
            customer: customer.customerId,
            notification: expected.notice.id,
            partition: expected.place.partition,
            offset: expected.place.offset,
          },
          expected: fieldsOf(event),
          found: null,
          note: "neither the inbox nor the outbox has it",
        });
      }
    }
  }
}

function openNotices(snapshot: Snapshot, group: Group): RowStream<NoticeRow> {
  const ids = `'{${group.join(",")}}'::int4[]`;
  // What is in the inbox already may still be in the outbox.
  const outbox = (program: string) =>
    `SELECT m.id, substr(o.key, 38), 1, NULL::int8, o.part, o.seq, o.id, o.value FROM ${program}.outbox o
     JOIN merchant.merchant m ON m.merchant_id::text = left(o.key, 36)
     WHERE m.id = ANY(${ids}) AND NOT EXISTS (SELECT FROM inbox.notification n JOIN inbox.account i USING (acct)
       WHERE i.merchant = m.merchant_id AND i.customer_id = substr(o.key, 38) AND n.id = o.id)`;
  return snapshot.open<NoticeRow>(
    `SELECT k.merchant, k.customer_id, k.off, k.id, k.value FROM (
       SELECT m.id AS merchant, i.customer_id COLLATE "C" AS customer_id, 0 AS waits, n.off, n.part, 0::int8 AS seq, n.id, n.record AS value
       FROM inbox.notification n JOIN inbox.account i USING (acct) JOIN merchant.merchant m ON m.merchant_id = i.merchant WHERE m.id = ANY(${ids})
       UNION ALL ${outbox("tier")} UNION ALL ${outbox("cashback")}) AS k
     ORDER BY k.merchant, k.customer_id COLLATE "C", k.waits, k.part, k.off, k.seq`,
  );
}

/** The notifications of one customer. */
export class CustomerNotices {
  readonly #customer: CustomerKey;
  readonly #decoder: RecordDecoder<NotificationEvent>;
  readonly #state: InboxState;
  readonly #report: Report;
  readonly #note: (missing: ExpectedNotice<VerifiedProgram>) => void;
  readonly #match: NoticeMatch<VerifiedProgram>;
  /** Of each program the first notification, in the order of the replay, that retention has left. */
  readonly #survivor = new Map<VerifiedProgram, number>();
  readonly #doubtful: Promise<void>[] = [];

  constructor(
    customer: CustomerKey,
    stream: RowStream<NoticeRow>,
    decoder: RecordDecoder<NotificationEvent>,
    state: InboxState,
    report: Report,
    note: (missing: ExpectedNotice<VerifiedProgram>) => void,
  ) {
    this.#customer = customer;
    this.#decoder = decoder;
    this.#state = state;
    this.#report = report;
    this.#note = note;
    this.#match = new NoticeMatch(
      () => pull(stream, customer),
      (expected, found) => this.#pair(expected, found),
    );
  }

  of(program: VerifiedProgram): NoticeSink {
    return { expect: (notice, place) => this.#match.expect(program, notice, place), settle: () => this.#match.settle() };
  }

  #pair(expected: ExpectedNotice<VerifiedProgram>, found: FoundNotice): void {
    const { program, notice, order } = expected;
    if (found.offset !== null && order < (this.#survivor.get(program) ?? Number.POSITIVE_INFINITY)) this.#survivor.set(program, order);
    if (!notice.value.equals(found.value)) this.#doubtful.push(this.#compare(expected, found));
  }

  /** Other bytes may say the same, by another version of the schema. */
  async #compare({ program, notice }: ExpectedNotice<VerifiedProgram>, found: FoundNotice): Promise<void> {
    const expected = fieldsOf(await decode(this.#decoder, notice.value));
    const differing = differingFields(expected, fieldsOf(await decode(this.#decoder, found.value)));
    if (differing !== null) {
      this.#report.difference({ program, thing: "notification", problem: "changed", where: this.#where(notice.id), ...differing });
    }
  }

  /** After both programs: what is missing, what nobody expects. */
  async finish(): Promise<void> {
    const { missing, unexpected, looked } = await this.#match.finish();
    await Promise.all(this.#doubtful);
    for (const one of missing) if (!(await this.#mayBeTrimmed(one))) this.#note(one);
    for (const { id, value, offset } of unexpected) {
      const event = await decode(this.#decoder, value);
      const program = programOf(event?.type ?? "");
      if (event === null || program === null) continue;
      const where = { ...this.#where(id), ...(offset === null ? {} : { inboxOffset: offset }) };
      this.#report.difference({ program, thing: "notification", problem: "unexpected", where, expected: null, found: fieldsOf(event) });
    }
    this.#report.checked("notifications", looked);
  }

  /** Retention takes the oldest: what came after one that is left, or happened after the oldest that is left, was not taken. */
  async #mayBeTrimmed({ program, notice, place, order }: ExpectedNotice<VerifiedProgram>): Promise<boolean> {
    const oldestLeft = this.#state.trimmed.get(place.partition);
    if (oldestLeft === undefined || order > (this.#survivor.get(program) ?? Number.POSITIVE_INFINITY)) return false;
    const event = await decode(this.#decoder, notice.value);
    return event !== null && event.occurredAt <= oldestLeft;
  }

  #where(id: string) {
    return { merchant: this.#customer.merchantId, customer: this.#customer.customerId, notification: id };
  }
}

async function pull(stream: RowStream<NoticeRow>, { merchant, customerId }: CustomerKey): Promise<FoundNotice | undefined> {
  const row = stream.ready ?? (await stream.peek());
  if (row === undefined || row.merchant !== merchant || row.customer_id !== customerId) return undefined;
  stream.skip();
  return { id: row.id, value: row.value, offset: row.off === null ? null : Number(row.off) };
}

async function decode(decoder: RecordDecoder<NotificationEvent>, value: Buffer): Promise<NotificationEvent | null> {
  await decoder.prepare([value]);
  const decoded = decoder.decode(value);
  return decoded.ok ? decoded.event : null;
}

function fieldsOf(event: NotificationEvent | null): Fields {
  if (event === null) return { type: "bytes that do not decode" };
  return Object.fromEntries(
    Object.entries(event).map(([name, value]: [string, unknown]) => {
      if (typeof value === "number" && name.endsWith("At")) return [name, shownAt(value)];
      return [name, Array.isArray(value) ? value.join(", ") : (value as string | number | bigint | null)];
    }),
  );
}
