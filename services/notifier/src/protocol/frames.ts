import { formatCursor } from "@perkstream/inbox";

/** A frame that a client may send. */
export type ClientFrame =
  | { readonly t: "hello"; readonly device: string; readonly cursor: string | null }
  | { readonly t: "ack"; readonly cursor: string }
  | { readonly t: "auth"; readonly token: string };

/** 1 to 64 characters, however many UTF-16 units they take. */
const deviceForm = /^.{1,64}$/su;

/** The frame in a text, or null when it is none of the protocol. Fields that are not known are ignored. */
export function parseClientFrame(text: string): ClientFrame | null {
  const frame = parseObject(text);
  if (frame === null) return null;
  if (frame["t"] === "hello") return parseHello(frame);
  if (frame["t"] === "ack" && typeof frame["cursor"] === "string") return { t: "ack", cursor: frame["cursor"] };
  if (frame["t"] === "auth" && typeof frame["token"] === "string") return { t: "auth", token: frame["token"] };
  return null;
}

function parseHello(frame: Readonly<Record<string, unknown>>): ClientFrame | null {
  const { device, cursor = null } = frame;
  if (typeof device !== "string" || !deviceForm.test(device)) return null;
  if (cursor !== null && typeof cursor !== "string") return null;
  return { t: "hello", device, cursor };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();

export const serverFrames = {
  welcome: (session: string, partition: number, start: number, resumed: boolean, expiresAt: number): string =>
    JSON.stringify({ t: "welcome", session, cursor: formatCursor(partition, start), resumed, expiresAt: iso(expiresAt) }),
  read: (partition: number, offset: number): string => JSON.stringify({ t: "read", cursor: formatCursor(partition, offset) }),
  auth: (expiresAt: number): string => JSON.stringify({ t: "auth", expiresAt: iso(expiresAt) }),
  bye: (retryMs: readonly [number, number]): string => JSON.stringify({ t: "bye", reason: "drain", retryMs }),
};
