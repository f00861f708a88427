import type { Note } from "./notifications.ts";

/** Frames of perks.v1 and the rules about them that need no state. */

export type ClientFrame = { t: "hello"; device: string; cursor?: string } | { t: "ack"; cursor: string } | { t: "auth"; token: string };

export type ServerFrame =
  | { t: "welcome"; session: string; cursor: string; resumed: boolean; expiresAt: string }
  | ({ t: "note" } & Note)
  | { t: "read"; cursor: string }
  | { t: "auth"; expiresAt: string }
  | { t: "bye"; reason: string; retryMs: [number, number] };

/** A browser cannot set headers on an upgrade, so the token travels as a subprotocol; the server answers only the first. */
export const subprotocols = (token: string): string[] => ["perks.v1", `perks.auth.${token}`];

/** Frames of a later version are returned too (the machine ignores what it does not know); undefined is no frame at all. */
export function parseFrame(data: unknown): ServerFrame | undefined {
  if (typeof data !== "string") return undefined;
  try {
    const frame: unknown = JSON.parse(data);
    return typeof frame === "object" && frame !== null && "t" in frame ? (frame as ServerFrame) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether cursor `a` lies after `b` (undefined: before everything). A customer's cursors are all of one partition. */
export function isAfter(a: string, b: string | undefined): boolean {
  return b === undefined || offsetOf(a) > offsetOf(b);
}

const offsetOf = (cursor: string): number => Number(cursor.slice(cursor.indexOf(":") + 1));

/** Why a connection is over for good. `token`: a fresh token was refused too. */
export type FinalReason = "closed" | "bad_frame" | "token" | "disconnected" | "origin" | "other_customer";

export const closeCode = {
  normal: 1000,
  abnormal: 1006,
  badFrame: 4000,
  token: 4001,
  disconnected: 4002,
  origin: 4003,
  tooManyDevices: 4009,
} as const;

/** Codes after which a client must not come back by itself. All others (1006, 1012, 1013, 4008, 4009, 4013, …) are retried. */
export const finalReasons: Readonly<Record<number, FinalReason>> = {
  [closeCode.badFrame]: "bad_frame",
  [closeCode.token]: "token",
  [closeCode.disconnected]: "disconnected",
  [closeCode.origin]: "origin",
};
