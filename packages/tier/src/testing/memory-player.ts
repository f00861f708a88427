import {
  fixedRegistry,
  type NotificationEncoder,
  openNotificationDecoder,
  openNotificationEncoder,
  type RecordDecoder,
  type NotificationEvent,
  type TierChanged,
} from "@perkstream/contracts";
import { formatDay } from "@perkstream/calendar";
import type { Merchant } from "@perkstream/merchant";
import { checkEvent, type OrderEntry } from "@perkstream/orders";
import type { Notice, SourceRecord } from "@perkstream/program";
import { ChangeLog } from "../changes.ts";
import { Customer } from "../customer.ts";
import { decide, effectsOn, type TierWork } from "../decide.ts";
import { DayBook, demote, newCustomer, pin, previewEdit, promote, unpin, viewOf } from "../domain/index.ts";
import { MerchantRules, type LadderVersion } from "../merchant-rules.ts";
import type { CustomerSeen, Player } from "./expectations.ts";
import { MemoryOrders } from "./memory-orders.ts";
import type { LadderSpec, PinSpec, Vector, VectorStep } from "./vectors.ts";

export interface NoticeCodec {
  readonly encoder: NotificationEncoder;
  readonly decoder: RecordDecoder<NotificationEvent>;
}

/** Encoder and decoder for unit tests, without a registry. */
export async function noticeCodec(): Promise<NoticeCodec> {
  const registry = fixedRegistry();
  return { encoder: await openNotificationEncoder(registry), decoder: openNotificationDecoder(registry) };
}

/** Lives through a case with the domain and everything in memory: one partition, no database. */
export class MemoryPlayer implements Player {
  readonly #vector: Vector;
  readonly #codec: NoticeCodec;
  readonly #orders = new MemoryOrders();
  readonly #customers = new Map<string, Customer>();
  readonly #versions: LadderVersion[] = [];
  readonly #changes: ChangeLog;
  #rules: MerchantRules;
  #offset = 0;
  #duplicates = 0;
  #notices: Notice[] = [];
  #deadLetters: string[] = [];

  constructor(vector: Vector, codec: NoticeCodec) {
    this.#vector = vector;
    this.#codec = codec;
    let n = 0;
    this.#changes = new ChangeLog(codec.encoder, () => ++n);
    this.#rules = new MerchantRules(merchantOf(vector), this.#versions);
    this.#addVersion(0, vector.ladder);
  }

  async event(step: VectorStep & { readonly kind: "event" | "raw" }): Promise<void> {
    const offset = this.#offset++;
    const event = step.kind === "event" ? step.event : null;
    const value =
      step.kind === "raw"
        ? step.value
        : Buffer.from(JSON.stringify(event, (_, inner: unknown) => (typeof inner === "bigint" ? `${inner}` : inner)));
    const record: SourceRecord = { partition: 0, offset, timestamp: step.atMs, key: Buffer.from(step.key), value, headers: {} };
    const invalid = event === null ? { reason: "invalid_event" } : checkEvent(event, { key: record.key, timestamp: record.timestamp });
    if (event === null || invalid !== null) {
      this.#deadLetters.push(invalid?.reason ?? "invalid_event");
      return;
    }
    this.#decide({ record, scope: event.merchantId, event });
  }

  #decide(entry: OrderEntry): void {
    const base = {
      merchants: new Map([[this.#vector.merchantId, this.#rules]]),
      orders: this.#orders,
      changes: this.#changes,
      customerOf: (_merchant: number, customerId: string) => this.#customerOf(customerId),
      customerByAcct: (acct: number) => [...this.#customers.values()][acct]!,
    };
    const work: TierWork = { ...base, effects: effectsOn(base) };
    const outcome = decide(work, entry);
    this.#notices.push(...outcome.notices);
    this.#deadLetters.push(...(outcome.deadLetters ?? []).map(({ reason }) => reason));
    if (typeof outcome.result === "object") this.#deadLetters.push(outcome.result.rejected.reason);
    if (outcome.result === "duplicate") this.#duplicates++;
    this.#duplicates += outcome.duplicates ?? 0;
  }

  #customerOf(customerId: string): Customer {
    const found = this.#customers.get(customerId);
    if (found !== undefined) return found;
    const customer = new Customer({
      acct: this.#customers.size,
      rules: this.#rules,
      customerId,
      partition: 0,
      state: newCustomer(this.#versions.length),
      known: false,
      seq: 0,
      levelOffset: 0,
      days: new DayBook(),
    });
    this.#customers.set(customerId, customer);
    return customer;
  }

  async sweep(atMs: number): Promise<void> {
    // As the program's sweep: nobody is looked at for whom nothing is due by then, whatever their last as-of.
    for (const customer of this.#customers.values()) {
      if ((customer.dueAt(this.#here()) ?? Number.POSITIVE_INFINITY) <= atMs) customer.bringForward(this.#here(), [atMs], this.#changes);
    }
    this.#collect();
  }

  async command(kind: "pin" | "promote" | "demote" | "unpin", atMs: number, spec: PinSpec): Promise<string | null> {
    const customer = this.#customerOf(spec.customerId);
    this.#changes.because({ text: `command ${kind} ${atMs}`, occurredAt: null });
    const asOf = customer.bringForward(this.#here(), [atMs], this.#changes);
    const rules = customer.rulesAt(this.#here());
    const order = { untilAt: spec.untilAt, actor: spec.actor, note: spec.note, asOf };
    const { state, days } = customer;
    const decision =
      kind === "pin"
        ? pin(rules, state, days, spec.levelId ?? "", order)
        : kind === "unpin"
          ? unpin(rules, state, days, { actor: spec.actor, asOf })
          : (kind === "promote" ? promote : demote)(rules, state, days, order);
    if ("refused" in decision) {
      customer.take({ state: { ...customer.state, lastAsOf: asOf }, changes: [] }, this.#here(), this.#changes);
    } else {
      customer.known = true;
      customer.take(decision, this.#here(), this.#changes);
    }
    this.#collect();
    return "refused" in decision ? decision.refused : null;
  }

  async edit(atMs: number, ladder: LadderSpec): Promise<void> {
    this.#addVersion(atMs, ladder);
    for (const customer of this.#customers.values()) customer.catchUp(this.#here(), this.#changes);
    this.#collect();
  }

  async preview(atMs: number, { settings, levels, apply }: LadderSpec): Promise<{ up: number; down: number; stay: number }> {
    const counts = { up: 0, down: 0, stay: 0 };
    for (const { state, days, known } of this.#customers.values()) {
      if (!known) continue;
      const rules = this.#rules.rulesOf(state.ladderVersion, 0, this.#offset);
      const ladder = { version: this.#versions.length + 1, settings, levels };
      counts[previewEdit(rules, state, days, { ladder, apply, actor: "ann", asOf: atMs })]++;
    }
    return counts;
  }

  async customer(customerId: string, atMs: number): Promise<CustomerSeen | null> {
    const customer = this.#customers.get(customerId);
    if (customer === undefined || !customer.known) return null;
    const view = viewOf(customer.rulesAt(this.#here()), customer.state, customer.days, atMs);
    return {
      tier: view.level?.id ?? null,
      metric: Number(view.metric),
      lastPeriodMetric: view.lastPeriodMetric === null ? null : Number(view.lastPeriodMetric),
      validUntil: view.validUntilDay === null ? null : formatDay(view.validUntilDay),
      pinned: view.pinned,
      history: this.#changes.recorded
        .filter((recorded) => recorded.customer === customer)
        .map(({ change, offset }) => {
          const { from, to, reason, actor, asOf, ruleVersion, orderId } = change;
          return { from: from?.id ?? null, to: to?.id ?? null, reason, actor, asOf, ruleVersion, orderId, offset };
        }),
    };
  }

  async remaining(orderId: string): Promise<readonly number[] | null> {
    return this.#orders.find(1, orderId)?.order.remaining.map(Number) ?? null;
  }

  takeNotices(): Promise<readonly TierChanged[]> {
    return decodeTierChanged(this.#codec, this.#notices.splice(0));
  }

  takeDeadLetters(): readonly string[] {
    return this.#deadLetters.splice(0);
  }

  async duplicates(): Promise<number> {
    return this.#duplicates;
  }

  async parked(): Promise<number> {
    return this.#orders.parked;
  }

  #here() {
    return { partition: 0, offset: this.#offset };
  }

  #collect(): void {
    this.#notices.push(...this.#changes.takeNotices().map(({ notice }) => notice));
  }

  #addVersion(asOf: number, { settings, levels, apply }: LadderSpec): void {
    const ladder = { version: this.#versions.length + 1, settings, levels };
    this.#versions.push({ ladder, apply, actor: "ann", asOf, from: [this.#offset] });
  }
}

export async function decodeTierChanged({ decoder }: NoticeCodec, notices: readonly Notice[]): Promise<readonly TierChanged[]> {
  await decoder.prepare(notices.map(({ value }) => value));
  return notices.map(({ value }) => {
    const decoded = decoder.decode(value);
    if (!decoded.ok || decoded.event.type !== "TierChanged") throw new Error("not a TierChanged");
    return decoded.event;
  });
}

export function merchantOf({ merchantId, currency, timeZone }: Pick<Vector, "merchantId" | "currency" | "timeZone">): Merchant {
  const settings = {
    version: 1,
    currency,
    timeZone,
    clawbackPolicy: "allow_negative",
    expiringNoticeDays: 0,
    sharedFrom: [],
    cashbackFrom: [],
  } as const;
  return { id: 1, merchantId, name: "Test", clock: "manual", versions: [settings], revision: "1" };
}
