import { parseCursor, type Cursor } from "@perkstream/inbox";
import type { CloseReason } from "./close.ts";
import { parseClientFrame, serverFrames, type ClientFrame } from "./frames.ts";
import { FrameRate } from "./frame-rate.ts";

/**
 * One connection of a customer, without sockets, clocks and I/O: calls go in, effects come out.
 *
 *             hello                    welcome               nothing held
 *  waiting ──────────────► joining ──────────────► catching ──────────────► live
 *     │  5 s, anything else   │ 5 s, 256 KB held      │ rows go out,           │ notes go out
 *     │  than hello: 4000     │ : 1013                │ notes are held         │
 *     └───────────────────────┴──────────────────────┴───────────────────────┴──► closed
 *                     token expired, another's token: 4001 · frames: 4000, 4013
 *
 * Notes that come while joining or catching are held; whatever lies at or below the last one sent is dropped, so a
 * connection's cursors rise strictly.
 */
export type Effect =
  | { readonly do: "send"; readonly frame: string }
  | { readonly do: "close"; readonly reason: CloseReason }
  | { readonly do: "join"; readonly cursor: Cursor | null }
  | { readonly do: "verify"; readonly token: string }
  | { readonly do: "ack"; readonly offset: number };

export interface ConnectionLimits {
  /** Of one frame in, in bytes. */
  readonly frameBytes: number;
  readonly framesPerSecond: number;
  readonly helloMs: number;
  /** Of the notes held while what was missed is read, in bytes of text. */
  readonly heldBytes: number;
}

export interface ConnectionIdentity {
  readonly session: string;
  /** `merchantId:customerId` */
  readonly key: string;
  /** The customer's partition of notifications.v1. */
  readonly partition: number;
  /** When the token ends, in ms since 1970. */
  readonly expiresAt: number;
  /** On the monotonic clock, ms. */
  readonly openedAt: number;
}

type Phase = "waiting" | "joining" | "catching" | "live" | "closed";

const nothing: readonly Effect[] = [];

export class Connection {
  readonly identity: ConnectionIdentity;
  device = "";
  readonly #limits: ConnectionLimits;
  readonly #rate: FrameRate;
  #phase: Phase = "waiting";
  #expiresAt: number;
  /** Where the client is: start of the flow, then the last note sent. */
  #sent = -1;
  #held: { offset: number; frame: string }[] = [];
  #heldBytes = 0;
  /** The highest ack, and the highest `read` of another device, that came before welcome. */
  #earlyAck = Number.NEGATIVE_INFINITY;
  #earlyRead = Number.NEGATIVE_INFINITY;

  constructor(identity: ConnectionIdentity, limits: ConnectionLimits) {
    this.identity = identity;
    this.#limits = limits;
    this.#rate = new FrameRate(limits.framesPerSecond);
    this.#expiresAt = identity.expiresAt;
  }

  get phase(): Phase {
    return this.#phase;
  }

  get online(): boolean {
    return this.#phase === "catching" || this.#phase === "live";
  }

  get sent(): number {
    return this.#sent;
  }

  /** A frame of the client at `at`, ms on the monotonic clock; `text` is null when it was binary. */
  frame(text: string | null, bytes: number, at: number): readonly Effect[] {
    if (this.#phase === "closed") return nothing;
    if (!this.#rate.take(at)) return this.close("frame_rate");
    const frame = text === null || bytes > this.#limits.frameBytes ? null : parseClientFrame(text);
    if (frame === null) return this.close("bad_frame");
    if (this.#phase === "waiting") return this.#hello(frame);
    if (frame.t === "auth") return [{ do: "verify", token: frame.token }];
    return frame.t === "ack" ? this.#ack(frame.cursor) : this.close("bad_frame");
  }

  #hello(frame: ClientFrame): readonly Effect[] {
    if (frame.t !== "hello") return this.close("bad_frame");
    const cursor = frame.cursor === null ? null : parseCursor(frame.cursor);
    if (frame.cursor !== null && cursor?.partition !== this.identity.partition) return this.close("bad_frame");
    this.device = frame.device;
    this.#phase = "joining";
    return [{ do: "join", cursor }];
  }

  #ack(text: string): readonly Effect[] {
    const cursor = parseCursor(text);
    if (cursor?.partition !== this.identity.partition) return this.close("bad_frame");
    if (!this.online) {
      this.#earlyAck = Math.max(this.#earlyAck, cursor.offset);
      return nothing;
    }
    const offset = Math.min(cursor.offset, this.#sent);
    return offset < 0 ? nothing : [{ do: "ack", offset }];
  }

  /** What the token of an `auth` frame says; null when it does not hold. */
  verified(claims: { readonly key: string; readonly expiresAt: number } | null): readonly Effect[] {
    if (this.#phase === "closed") return nothing;
    if (claims === null || claims.key !== this.identity.key) return this.close("token");
    this.#expiresAt = claims.expiresAt;
    return [{ do: "send", frame: serverFrames.auth(claims.expiresAt) }];
  }

  /** What was missed is known: the flow starts after offset `start`. */
  welcome(start: number, resumed: boolean): readonly Effect[] {
    if (this.#phase !== "joining") return nothing;
    this.#phase = "catching";
    this.#sent = start;
    const { session, partition } = this.identity;
    const effects: Effect[] = [{ do: "send", frame: serverFrames.welcome(session, partition, start, resumed, this.#expiresAt) }];
    if (this.#earlyRead >= 0) effects.push({ do: "send", frame: serverFrames.read(partition, this.#earlyRead) });
    const acked = Math.min(this.#earlyAck, start);
    if (acked >= 0) effects.push({ do: "ack", offset: acked });
    return effects;
  }

  /** A missed note, from the inbox. */
  row(offset: number, frame: string): readonly Effect[] {
    return this.#phase === "catching" ? this.#send(offset, frame) : nothing;
  }

  /** After the missed notes: the next one that was held. Undefined when none is left; from then on the connection is live. */
  nextHeld(): readonly Effect[] | undefined {
    if (this.#phase !== "catching") return undefined;
    const next = this.#held.shift();
    if (next === undefined) {
      this.#phase = "live";
      return undefined;
    }
    this.#heldBytes -= next.frame.length;
    return this.#send(next.offset, next.frame);
  }

  /** A note of the live path. */
  note(offset: number, frame: string): readonly Effect[] {
    if (this.#phase === "live") return this.#send(offset, frame);
    if (this.#phase !== "joining" && this.#phase !== "catching") return nothing;
    this.#heldBytes += frame.length;
    if (this.#heldBytes > this.#limits.heldBytes) return this.close("overloaded");
    this.#held.push({ offset, frame });
    return nothing;
  }

  #send(offset: number, frame: string): readonly Effect[] {
    if (offset <= this.#sent) return nothing;
    this.#sent = offset;
    return [{ do: "send", frame }];
  }

  /** Another device, or the merchant's page, acknowledged up to `offset`. */
  read(offset: number): readonly Effect[] {
    if (this.online) return [{ do: "send", frame: serverFrames.read(this.identity.partition, offset) }];
    this.#earlyRead = Math.max(this.#earlyRead, offset);
    return nothing;
  }

  /**
   * Time passes. `now` in ms since 1970, by which a token ends; `at` on the monotonic clock, by which everything within this process is
   * measured: a step of the system's clock must not close connections.
   */
  tick(now: number, at: number): readonly Effect[] {
    if (this.#phase === "closed") return nothing;
    if (now >= this.#expiresAt) return this.close("token");
    if (this.#phase === "waiting" && at >= this.identity.openedAt + this.#limits.helloMs) return this.close("bad_frame");
    return nothing;
  }

  /** Whoever wants it closed; the second time nothing happens. */
  close(reason: CloseReason): readonly Effect[] {
    if (this.#phase === "closed") return nothing;
    this.closed();
    return [{ do: "close", reason }];
  }

  /** The socket is gone. */
  closed(): void {
    this.#phase = "closed";
    this.#held = [];
    this.#heldBytes = 0;
  }
}
