import { parseInt8Array } from "@perkstream/postgres";
import { differingFields, shownAt, type TellCustomer } from "@perkstream/verify";
import type { CashbackReplay } from "./replay.ts";
import type { CashbackAccountRow } from "./rows.ts";

/** The customer's row against what the replay came to. */
export function compareAccount(replay: CashbackReplay, row: CashbackAccountRow, tell: TellCustomer): void {
  const { customer } = replay;
  const balance = differingFields(
    { pending: customer.pendingMinor, available: customer.availableMinor, reserved: customer.reservedMinor, debt: customer.debtMinor },
    { pending: row.pending, available: row.available, reserved: row.reserved, debt: row.debt },
  );
  if (balance !== null) tell({ thing: "balance", problem: "changed", ...balance });
  const account = differingFields(
    { known: replay.known, lastAsOf: customer.lastAsOf === 0 ? null : shownAt(customer.lastAsOf), campaigns: replay.campaigns.join(",") },
    { known: row.known, lastAsOf: shownAt(row.last_as_of?.getTime() ?? null), campaigns: parseInt8Array(row.campaigns).join(",") },
  );
  if (account !== null) tell({ thing: "account", problem: "changed", ...account });
  const { dueAt, unannouncedAt } = replay.shelf.watermarks;
  const note = "the sweep does not see what time changes";
  if (isLate(row.due_at, dueAt)) {
    tell({
      thing: "due moment",
      problem: "hidden",
      expected: { dueAt: shownAt(dueAt) },
      found: { dueAt: shownAt(row.due_at?.getTime() ?? null) },
      note,
    });
  }
  if (isLate(row.unannounced_at, unannouncedAt)) {
    const found = { unannouncedAt: shownAt(row.unannounced_at?.getTime() ?? null) };
    tell({ thing: "due moment", problem: "hidden", expected: { unannouncedAt: shownAt(unannouncedAt) }, found, note });
  }
}

/** A watermark may be too early, never too late. */
function isLate(stored: Date | null, moment: number): boolean {
  return moment !== Number.POSITIVE_INFINITY && (stored === null || stored.getTime() > moment);
}
