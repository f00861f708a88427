import type { ClawbackAnswer, DeadLetterAnswer, NoteAnswer } from "./answers.ts";
import { anyOrder, differences, type Difference } from "./difference.ts";
import type { Expectation } from "./expectation.ts";
import type { Session } from "./session.ts";
import type { Story } from "./story.ts";
import type { View } from "./view.ts";

/*
 * What has happened since the last expectation. What was seen is remembered at every expectation, whether or not it asks; kinds for
 * which a story never asks are not read.
 */

type NewsKind = "notifications" | "deadLetters" | "clawbacks";

export class News {
  private readonly session: Session;
  private readonly wanted: ReadonlySet<NewsKind>;
  private readonly seen = new Set<string>();

  constructor(story: Story, session: Session) {
    this.session = session;
    const kinds: readonly NewsKind[] = ["notifications", "deadLetters", "clawbacks"];
    this.wanted = new Set(kinds.filter((kind) => story.steps.some(({ expect }) => expect?.[kind] !== undefined)));
  }

  async compare(expected: Expectation, view: View): Promise<Difference[]> {
    const notes = this.wanted.has("notifications") ? await this.newNotes(view) : [];
    const letters = this.wanted.has("deadLetters") ? await this.newDeadLetters(view) : [];
    const clawbacks = this.wanted.has("clawbacks") ? await this.newClawbacks(view) : [];
    const { refusals, previews } = this.session;
    this.session.refusals = [];
    this.session.previews = [];
    return [
      ...(expected.notifications === undefined ? [] : anyOrder("notifications", expected.notifications, notes, tells, summary)),
      ...(expected.deadLetters === undefined ? [] : compareDeadLetters(expected.deadLetters, letters)),
      ...compareClawbacks(expected.clawbacks, clawbacks),
      ...differencesIf("refusals", expected.refusals, refusals),
      ...differencesIf("previews", expected.previews, previews),
    ];
  }

  private isNew(kind: NewsKind, id: string): boolean {
    const key = `${kind} ${id}`;
    if (this.seen.has(key)) return false;
    this.seen.add(key);
    return true;
  }

  private async newNotes(view: View): Promise<NoteAnswer[]> {
    const all = await view.ofAll((customerId) => view.notes(customerId));
    return all.map(({ row }) => row).filter(({ id }) => this.isNew("notifications", id));
  }

  private async newDeadLetters(view: View): Promise<DeadLetterAnswer[]> {
    return (await view.deadLetters()).filter(({ program, id }) => this.isNew("deadLetters", `${program} ${String(id)}`));
  }

  /** In the order in which they happened: by as-of, then by the order's event. */
  private async newClawbacks(view: View): Promise<{ orderId: string }[]> {
    const orders = await view.orders();
    const rows = orders.flatMap(({ orderId, refunds }) =>
      refunds.flatMap(({ refundId, asOf, clawbacks }) =>
        clawbacks.map((clawback) => ({ asOf, id: `${orderId} ${refundId} ${clawback.campaignId}`, clawback: inWords(orderId, clawback) })),
      ),
    );
    const sorted = rows.toSorted((a, b) => Date.parse(a.asOf) - Date.parse(b.asOf));
    return sorted.filter(({ id }) => this.isNew("clawbacks", id)).map(({ clawback }) => clawback);
  }
}

/** In their order; where each names its order, in that of each order: what happened first between two orders no answer tells. */
function compareClawbacks(expected: Expectation["clawbacks"], got: readonly { readonly orderId: string }[]): Difference[] {
  if (expected === undefined || expected.some(({ orderId }) => orderId === undefined)) return differencesIf("clawbacks", expected, got);
  const byOrder = <T extends { readonly orderId?: string | undefined }>(rows: readonly T[]) =>
    rows.toSorted((a, b) => ((a.orderId ?? "") < (b.orderId ?? "") ? -1 : a.orderId === b.orderId ? 0 : 1));
  return differences("clawbacks", byOrder(expected), byOrder(got));
}

function differencesIf(path: string, expected: unknown, got: unknown): Difference[] {
  return expected === undefined ? [] : differences(path, expected, got);
}

function inWords(orderId: string, clawback: ClawbackAnswer) {
  return {
    orderId,
    campaignId: clawback.campaignId,
    amountMinor: clawback.amountMinor,
    pending: clawback.pendingMinor,
    available: clawback.availableMinor,
    expired: clawback.expiredMinor,
    otherLots: clawback.otherLotsMinor,
    debt: clawback.debtMinor,
    writtenOff: clawback.writtenOffMinor,
  };
}

type WantedNote = NonNullable<Expectation["notifications"]>[number];

function tells(wanted: WantedNote, note: NoteAnswer): boolean {
  if (typeof wanted === "string") return wanted === summary(note);
  return differences("", wanted, { ...note.data, type: note.type }).length === 0;
}

function summary({ type, data }: NoteAnswer): string {
  const { customerId, fromTier, toTier, reason, amountMinor } = data;
  if (type === "TierChanged")
    return `${type} ${String(customerId)} ${String(fromTier ?? "none")}>${String(toTier ?? "none")} ${String(reason)}`;
  return `${type} ${String(customerId)} ${String(amountMinor)}`;
}

/** A reason once per event; and both programs must have kept the event with the same reason, once. */
function compareDeadLetters(expected: readonly string[], letters: readonly DeadLetterAnswer[]): Difference[] {
  const events = Map.groupBy(letters, ({ partition, offset }) => `${partition}:${offset}`);
  const uneven = [...events].flatMap(([place, kept]) => {
    const got = kept.map(({ program, reason }) => `${program} ${reason}`).toSorted();
    const reason = kept[0]?.reason ?? "";
    return differences(`deadLetters at ${place}`, [`cashback ${reason}`, `tier ${reason}`], got);
  });
  const reasons = [...events.values()].map(([letter]) => letter?.reason ?? "");
  return [...anyOrder("deadLetters", expected, reasons, Object.is, (reason) => reason), ...uneven];
}
