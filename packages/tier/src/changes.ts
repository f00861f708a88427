import type { NotificationEncoder } from "@perkstream/contracts";
import { type Notice, noticeId } from "@perkstream/program";
import type { ChangeSink, Customer, Effect, RecordedChange } from "./customer.ts";
import type { TierChange } from "./domain/index.ts";

export const PROGRAM = "tier";

/** The cause of what is being applied: goes into the ids of its notifications. */
export interface NoticeCause {
  /** `orders.v1/<partition>:<offset>` or the id of a stored command; what time and ladders cause names itself. */
  readonly text: string;
  /** The event's occurredAt (ms) for what an order or refund changes; null: the as-of. */
  readonly occurredAt: number | null;
}

/** The changes of one transaction, in order, with a TierChanged for each. */
export class ChangeLog implements ChangeSink {
  readonly recorded: RecordedChange[] = [];
  readonly #encoder: NotificationEncoder;
  readonly #nextNumber: (partition: number) => number;
  #notices: { partition: number; notice: Notice }[] = [];
  #cause: NoticeCause = { text: "", occurredAt: null };

  /** @param nextNumber numbers the changes of a partition, from its progress row's counter */
  constructor(encoder: NotificationEncoder, nextNumber: (partition: number) => number) {
    this.#encoder = encoder;
    this.#nextNumber = nextNumber;
  }

  /** What the next changes come from. */
  because(cause: NoticeCause): void {
    this.#cause = cause;
  }

  record(customer: Customer, changes: readonly TierChange[], { partition, offset }: Effect): void {
    for (const change of changes) {
      customer.seq += 1;
      this.recorded.push({ customer, change, seq: customer.seq, partition, offset, n: this.#nextNumber(partition) });
      this.#notices.push({ partition, notice: tierChanged(this.#encoder, customer, change, this.#cause) });
    }
  }

  /** The notices since the last call. */
  takeNotices(): readonly { readonly partition: number; readonly notice: Notice }[] {
    const taken = this.#notices;
    if (taken.length > 0) this.#notices = [];
    return taken;
  }
}

function tierChanged(encoder: NotificationEncoder, customer: Customer, change: TierChange, cause: NoticeCause): Notice {
  const { merchantId } = customer.rules.merchant;
  const { customerId } = customer;
  const ofEvent = change.reason === "order" || change.reason === "refund";
  const id = noticeId(PROGRAM, "TierChanged", merchantId, customerId, causeText(change, cause));
  const value = encoder.encode("TierChanged", {
    id,
    merchantId,
    customerId,
    occurredAt: ofEvent && cause.occurredAt !== null ? cause.occurredAt : change.asOf,
    orderId: change.orderId,
    fromTier: change.from?.name ?? null,
    toTier: change.to?.name ?? null,
    direction: change.direction,
    reason: change.reason,
    nextTier: change.next?.name ?? null,
    toNextTierMinor: change.toNext,
  });
  return { id, key: `${merchantId}:${customerId}`, value };
}

/** Never an id that a restored database would give out anew (docs/protocols.md, "Repeats"). */
function causeText(change: TierChange, cause: NoticeCause): string {
  if (change.dueAt !== null) return `${change.reason}/${change.from?.id ?? ""}/${change.dueAt}`;
  if (change.reason === "rules_changed") return `ladder/${change.ruleVersion}`;
  return cause.text;
}
