import { commit, link, type NamedOrder, type Posting, redeem, release, reserve } from "../domain/index.ts";
import type { Shelf } from "./shelf.ts";

/** How a command was stored with its step (docs/programs.md, "What can be recomputed"). */
export interface CommandDetail {
  /** Of the redemption. */
  readonly id: string;
  readonly amountMinor?: number | string;
  readonly orderId?: string | null;
  readonly ttlMs?: number;
  /** Only of one that was made. */
  readonly sequence?: number;
  readonly refused?: string;
}

/**
 * Does a stored command again, after what is due; the code of its refusal, null when it is done.
 *
 * @param named the order of an id, if refunds may have put something back of it
 */
export function decideCommand(
  kind: string,
  detail: CommandDetail,
  posting: Posting,
  shelf: Shelf,
  named: (orderId: string | null) => NamedOrder | null,
): string | null {
  if (kind === "reserve" || kind === "redeem") return take(kind, detail, posting, shelf, named);
  const redemption = shelf.redemptions.get(detail.id);
  if (redemption === undefined) return "not_found";
  shelf.bring(redemption);
  switch (kind) {
    case "commit":
      return commit(posting, redemption, named(redemption.orderId));
    case "release":
      return release(posting, redemption);
    case "link":
      return link(posting, redemption, detail.orderId ?? "", named(detail.orderId ?? null));
    default:
      return "not a known command";
  }
}

function take(
  kind: "reserve" | "redeem",
  { id, amountMinor = 0, orderId = null, ttlMs = 0, sequence = 0 }: CommandDetail,
  posting: Posting,
  shelf: Shelf,
  named: (orderId: string | null) => NamedOrder | null,
): string | null {
  shelf.bringAvailable();
  const request = { redemptionId: id, sequence, orderId, amountMinor: BigInt(amountMinor) };
  const taken = kind === "reserve" ? reserve(posting, request, ttlMs) : redeem(posting, request, named(orderId));
  return typeof taken === "string" ? taken : null;
}
