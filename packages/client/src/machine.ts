import type { Note } from "./notifications.ts";
import type { ClientFrame, FinalReason, ServerFrame } from "./protocol.ts";
import { closeCode, finalReasons, isAfter } from "./protocol.ts";

/*
 * The life of a connection. No clock, socket or timer in here: inputs come in, effects go out, connect.ts does them.
 *
 *            token                 socket open             welcome
 *   ┌─► token ────► opening ───────────────► greeting ───────────────► online ──┐
 *   │     │            │                        │                        │      │ refresh: token ► auth frame
 *   │     └────────────┴──── close, deadline ───┴────────────────────────┤ ◄────┘
 *   │  retry timer, wake                                                 ▼
 *   └──────────────────────────────────────────────────────────────── waiting
 *   stop, 4000 (but for a lost hello), 4002, 4003, a second 4001 for a token that was not taken, another customer's token: closed, for good.
 */

/** Bounds of everything that waits or grows, in ms unless named otherwise. */
export const limits = {
  firstRetryMs: 500,
  maxRetryMs: 30_000,
  /** Only a connection that held this long starts the backoff anew, so a server that drops everybody at once is spared. */
  stableAfterMs: 10_000,
  /** For a token, for socket and welcome together, and for the answer to an auth frame. */
  deadlineMs: 30_000,
  /** The server gives up a socket that has said no hello for so long. */
  helloMs: 5_000,
  /** Hellos in a row that seem to have been lost before the cursor is doubted all the same. */
  lostHellos: 3,
  /** The longest that a token may live. */
  tokenLifeMs: 900_000,
  /** A token is renewed this long before its expiry, or after four fifths of a shorter life. */
  refreshBeforeMs: 60_000,
  minRefreshMs: 1_000,
  /** The server closes above 10 frames a second; acks in between are merged into the newest. */
  ackEveryMs: 250,
  rememberedIds: 256,
} as const;

export type ConnectionState =
  | { status: "connecting" }
  | { status: "online"; session: string; /** Whether the flow went on where it had stopped. */ resumed: boolean }
  | { status: "waiting"; /** Close code, 1006 when there was none. */ code: number; retryInMs: number }
  | { status: "closed"; reason: FinalReason };

export type TimerName = "retry" | "refresh" | "deadline" | "stable" | "ack";

export type Input =
  | { type: "start" | "tokenFailed" | "opened" | "wake" | "stop" }
  | { type: "token"; token: string; owner: string; expiresAt: number | undefined; cursor: string | undefined }
  | { type: "frame"; frame: ServerFrame }
  | { type: "socketClosed"; code: number }
  | { type: "timer"; name: TimerName }
  | { type: "ack"; cursor: string | undefined };

export type Effect =
  | { do: "fetchToken" | "drop" | "cancelTimers" }
  | { do: "open"; token: string }
  | { do: "send"; frame: ClientFrame }
  | { do: "timer"; name: TimerName; ms: number | null }
  | { do: "state"; state: ConnectionState }
  | { do: "deliver"; note: Note }
  | { do: "read"; cursor: string }
  | { do: "store"; cursor: string | null };

export interface Machine {
  readonly state: ConnectionState;
  /** Takes what happened at `now` (ms since 1970) and returns what is to be done, in order. */
  handle(input: Input, now: number): Effect[];
}

/** @param random uniform in [0, 1), for the jitter of retries */
export function createMachine(device: string, random: () => number): Machine {
  let phase: "idle" | "token" | "opening" | "greeting" | "online" | "waiting" | "closed" = "idle";
  let state: ConnectionState = { status: "connecting" };
  let token: { text: string; owner: string; expiresAt: number | undefined } | undefined;
  let owner: string | undefined;
  let attempt = 0;
  let refreshAttempt = 0;
  let refused = false;
  let bye: [number, number] | undefined;
  let cursor: string | undefined;
  let wantedAck: string | undefined;
  let sentAck: string | undefined;
  let ackPaused = false;
  let askedAt = 0;
  let lostHellos = 0;
  const ids = new Set<string>();
  let out: Effect[] = [];

  const say = (next: ConnectionState): void => {
    state = next;
    out.push({ do: "state", state });
  };
  const timer = (name: TimerName, ms: number | null): void => void out.push({ do: "timer", name, ms });
  const jitter = (n: number): number => Math.round(random() * Math.min(limits.maxRetryMs, limits.firstRetryMs * 2 ** n));

  function finish(reason: FinalReason): void {
    phase = "closed";
    out.push({ do: "cancelTimers" }, { do: "drop" });
    say({ status: "closed", reason });
  }

  function begin(now: number): void {
    out.push({ do: "cancelTimers" });
    if (state.status !== "connecting" || phase === "idle") say({ status: "connecting" });
    // A token that would hold: not every reconnect of every client should be a request to the token's issuer.
    if (token?.expiresAt !== undefined && token.expiresAt - now > limits.refreshBeforeMs) return open(token.text, now);
    phase = "token";
    out.push({ do: "fetchToken" });
    timer("deadline", limits.deadlineMs);
  }

  function open(text: string, now: number): void {
    phase = "opening";
    askedAt = now;
    out.push({ do: "open", token: text });
    timer("deadline", limits.deadlineMs);
  }

  function wait(code: number, retryInMs: number): void {
    phase = "waiting";
    bye = undefined;
    attempt++;
    out.push({ do: "cancelTimers" }, { do: "drop" });
    timer("retry", retryInMs);
    say({ status: "waiting", code, retryInMs });
  }

  function gotToken(input: Extract<Input, { type: "token" }>, now: number): void {
    if (owner !== undefined && owner !== input.owner) return finish("other_customer");
    if (owner === undefined) cursor = input.cursor;
    owner = input.owner;
    token = { text: input.token, owner, expiresAt: input.expiresAt };
    if (phase === "token") return open(token.text, now);
    if (phase !== "online") return;
    out.push({ do: "send", frame: { t: "auth", token: token.text } });
    // The answer is also the one sign of life that a browser can ask for: pings of the protocol are hidden from pages.
    timer("deadline", limits.deadlineMs);
  }

  function noToken(): void {
    if (phase === "token") wait(closeCode.abnormal, jitter(attempt));
    else if (phase === "online") timer("refresh", Math.max(limits.minRefreshMs, jitter(refreshAttempt++)));
  }

  function scheduleRefresh(expiresAt: string, now: number): void {
    refreshAttempt = 0;
    // By a clock that is far behind it would be longer than any token lives, and than a timer can be set for.
    const left = Math.min(Date.parse(expiresAt) - now, limits.tokenLifeMs);
    timer("deadline", null);
    // Already over by this clock, though the server just accepted it: the clock is wrong, and 4001 will tell when.
    if (!(left > 0)) return timer("refresh", null);
    timer("refresh", Math.max(limits.minRefreshMs, left - Math.min(limits.refreshBeforeMs, left / 5)));
  }

  function lost(code: number, now: number): void {
    // Whatever else the server has to say, it took the token.
    if (phase === "greeting" && code !== closeCode.token && code !== closeCode.abnormal) refused = false;
    if (code === closeCode.token && !refused) {
      refused = true;
      token = undefined;
      out.push({ do: "drop" });
      attempt++;
      return begin(now);
    }
    const mayBeLost = code === closeCode.badFrame && phase === "greeting" && now - askedAt >= limits.helloMs;
    // The hello may have been lost on the way, or come too late: that says nothing about its cursor, unless it goes on and on.
    if (mayBeLost && (cursor === undefined || ++lostHellos < limits.lostHellos)) return wait(code, jitter(attempt));
    if (code === closeCode.badFrame && phase === "greeting" && cursor !== undefined) {
      // The server does not know this cursor (its topic was made anew, say): better all that is unread than nothing for ever.
      cursor = wantedAck = sentAck = undefined;
      lostHellos = 0;
      out.push({ do: "store", cursor: null });
      return wait(code, jitter(attempt));
    }
    const reason = finalReasons[code];
    if (reason !== undefined) return finish(reason);
    if (bye !== undefined) return wait(code, Math.round(bye[0] + random() * Math.max(0, bye[1] - bye[0])));
    // Two devices too many would drive each other out in turns: come back as slowly as possible.
    if (code === closeCode.tooManyDevices) return wait(code, limits.maxRetryMs / 2 + jitter(Infinity) / 2);
    wait(code, jitter(attempt));
  }

  function advance(next: string): void {
    if (!isAfter(next, cursor)) return;
    cursor = next;
    out.push({ do: "store", cursor });
  }

  function welcomed(frame: Extract<ServerFrame, { t: "welcome" }>, now: number): void {
    phase = "online";
    refused = false;
    lostHellos = 0;
    ackPaused = false;
    // An ack that was under way when the last connection broke may be lost; a repeat does no harm.
    wantedAck ??= sentAck;
    advance(frame.cursor);
    say({ status: "online", session: frame.session, resumed: frame.resumed });
    timer("stable", limits.stableAfterMs);
    scheduleRefresh(frame.expiresAt, now);
    flushAck();
  }

  function noted(note: Note): void {
    if (!isAfter(note.cursor, cursor)) return;
    if (!ids.has(note.id)) {
      ids.add(note.id);
      for (const oldest of ids) {
        if (ids.size <= limits.rememberedIds) break;
        ids.delete(oldest);
      }
      out.push({ do: "deliver", note });
    }
    advance(note.cursor);
  }

  function gotFrame(frame: ServerFrame, now: number): void {
    if (frame.t === "welcome") {
      if (phase === "greeting") welcomed(frame, now);
    } else if (frame.t === "bye") {
      bye = frame.retryMs;
    } else if (phase === "online") {
      if (frame.t === "note") {
        const { t: _, ...note } = frame;
        noted(note);
      } else if (frame.t === "read") out.push({ do: "read", cursor: frame.cursor });
      else if (frame.t === "auth") scheduleRefresh(frame.expiresAt, now);
    }
  }

  function flushAck(): void {
    if (phase !== "online" || ackPaused || wantedAck === undefined) return;
    out.push({ do: "send", frame: { t: "ack", cursor: wantedAck } });
    sentAck = wantedAck;
    wantedAck = undefined;
    ackPaused = true;
    timer("ack", limits.ackEveryMs);
  }

  function ack(upTo: string | undefined): void {
    const newest = wantedAck ?? sentAck;
    if (upTo === undefined || !isAfter(upTo, newest)) return;
    wantedAck = upTo;
    flushAck();
  }

  function rang(name: TimerName, now: number): void {
    if (name === "retry" && phase === "waiting") begin(now);
    else if (name === "stable") attempt = 0;
    else if (name === "refresh" && phase === "online") out.push({ do: "fetchToken" });
    else if (name === "deadline") lost(closeCode.abnormal, now);
    else if (name === "ack") {
      ackPaused = false;
      flushAck();
    }
  }

  function step(input: Input, now: number): void {
    if (input.type === "start" || input.type === "wake") {
      if (phase === (input.type === "start" ? "idle" : "waiting")) begin(now);
    } else if (input.type === "token") gotToken(input, now);
    else if (input.type === "tokenFailed") noToken();
    else if (input.type === "opened") {
      phase = "greeting";
      out.push({ do: "send", frame: cursor === undefined ? { t: "hello", device } : { t: "hello", device, cursor } });
    } else if (input.type === "frame") gotFrame(input.frame, now);
    else if (input.type === "socketClosed") lost(input.code, now);
    else if (input.type === "timer") rang(input.name, now);
    else if (input.type === "ack") ack(input.cursor ?? cursor);
    else finish("closed");
  }

  return {
    get state() {
      return state;
    },
    handle(input, now) {
      out = [];
      if (phase !== "closed") step(input, now);
      return out;
    },
  };
}
