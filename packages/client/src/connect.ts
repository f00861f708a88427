import type { ConnectionState, Effect, Input, TimerName } from "./machine.ts";
import { createMachine } from "./machine.ts";
import type { Note, NotificationType } from "./notifications.ts";
import { closeCode, parseFrame, subprotocols } from "./protocol.ts";
import type { CursorStorage } from "./storage.ts";
import { defaultStorage } from "./storage.ts";
import { readClaims } from "./token.ts";

/** The part of the WebSocket interface that is used: browsers, Node ≥ 22 and the `ws` package have it. */
export interface WebSocketLike {
  addEventListener(type: SocketEventType, listener: (event: object) => void): void;
  send(data: string): void;
  close(code?: number): void;
}
type SocketEventType = "open" | "message" | "close" | "error";
interface SocketEvent {
  data?: unknown;
  code?: number;
}
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

export interface ConnectOptions {
  /** `ws(s)://host/v1/connect`, as the merchant API gives it with a customer token. */
  url: string;
  /** A fresh customer token (JWT). Called at the start, before expiry and when one was refused; a rejection is retried. */
  token: () => Promise<string>;
  /** Label of this device in the merchant's presence list, 1 to 64 characters. */
  device?: string;
  /** Default: localStorage in a page, memory elsewhere. Keys are `perkstream:<merchant>:<customer>`. */
  storage?: CursorStorage;
  /** Default: the global one. */
  WebSocket?: WebSocketConstructor;
  /** Every notification once, oldest first, also of types that this version does not list. */
  onNote?: (note: Note) => void;
  /** Another device of the customer has read up to and with this cursor. */
  onRead?: (cursor: string) => void;
  onState?: (state: ConnectionState) => void;
  /** Failures that the client retries by itself: a token that could not be had, storage, a socket that cannot be made. */
  onError?: (error: unknown) => void;
  /** Uniform in [0, 1); for tests. */
  random?: () => number;
}

export interface Connection {
  readonly state: ConnectionState;
  /** Calls `handler` for every notification of one type; returns a function that ends that. */
  on<T extends NotificationType>(type: T, handler: (note: Note<T>) => void): () => void;
  /** Marks as read, on all devices, up to and with `cursor`; without one: all that was received. Sent once connected. */
  ack(cursor?: string): void;
  /** Tries at once when it is waiting for a retry; a page does so by itself when the network is back. */
  retryNow(): void;
  /** Ends for good; no handler is called afterwards but onState. */
  close(): void;
}

type Listen = (type: string, listener: () => void) => void;

/**
 * Opens a connection that keeps itself alive: it reconnects with full jitter, goes on at its cursor, renews its token
 * and drops repeats. It ends only by close(), or when the server says so for good (state `closed` with the reason).
 * A handler that throws does not disturb it: the error is thrown again outside of it, and the note counts as seen.
 * Throws a TypeError when the platform has no WebSocket and none is given.
 */
export function connect(options: ConnectOptions): Connection {
  const page = globalThis as { document?: object; addEventListener?: Listen; removeEventListener?: Listen };
  const Socket = options.WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  if (Socket === undefined) throw new TypeError("No WebSocket here: pass one as options.WebSocket");
  const storage = options.storage ?? defaultStorage();
  const device = options.device ?? (page.document === undefined ? "node" : "browser");
  const machine = createMachine(device, options.random ?? Math.random);
  const handlers = new Map<string, Set<(note: never) => void>>();
  const timers = new Map<TimerName, ReturnType<typeof setTimeout>>();
  let socket: WebSocketLike | undefined;
  let tokenCall = 0;
  let storageKey: string | undefined;
  let unstored: string | null | undefined;
  let isStoring = false;
  // Inputs that arise while effects are being done (a handler that calls ack, say) wait for their turn.
  const inputs: Input[] = [];
  let busy = false;

  function feed(input: Input): void {
    inputs.push(input);
    if (busy) return;
    busy = true;
    try {
      for (let next = inputs.shift(); next !== undefined; next = inputs.shift()) {
        for (const effect of machine.handle(next, Date.now())) perform(effect);
      }
    } finally {
      busy = false;
    }
  }

  function perform(effect: Effect): void {
    if (effect.do === "fetchToken") void fetchToken();
    else if (effect.do === "open") open(effect.token);
    else if (effect.do === "drop") drop();
    else if (effect.do === "send") socket?.send(JSON.stringify(effect.frame));
    else if (effect.do === "timer") setTimer(effect.name, effect.ms);
    else if (effect.do === "cancelTimers") for (const name of timers.keys()) setTimer(name, null);
    else if (effect.do === "deliver") deliver(effect.note);
    else if (effect.do === "store") void store(effect.cursor);
    else if (effect.do === "read") call(options.onRead, effect.cursor);
    else if (effect.do === "state") {
      if (effect.state.status === "closed") page.removeEventListener?.("online", wake);
      call(options.onState, effect.state);
    }
  }

  async function fetchToken(): Promise<void> {
    const mine = ++tokenCall;
    let input: Input = { type: "tokenFailed" };
    try {
      const token = await options.token();
      const { owner, expiresAt } = readClaims(token);
      storageKey ??= `perkstream:${owner}`;
      input = { type: "token", token, owner, expiresAt, cursor: await recall(storageKey) };
    } catch (error) {
      call(options.onError, error);
    }
    // An answer that came after its deadline belongs to an attempt that was given up.
    if (mine === tokenCall) feed(input);
  }

  async function recall(key: string): Promise<string | undefined> {
    try {
      return (await storage.get(key)) ?? undefined;
    } catch (error) {
      call(options.onError, error);
      return undefined;
    }
  }

  // One after the other, and of those that wait the newest: a storage that takes its time must not end with an older one.
  async function store(cursor: string | null): Promise<void> {
    unstored = cursor;
    if (isStoring || storageKey === undefined) return;
    isStoring = true;
    while (unstored !== undefined) {
      const next = unstored;
      unstored = undefined;
      try {
        const stored = storage.set(storageKey, next);
        if (stored !== undefined) await stored;
      } catch (error) {
        call(options.onError, error);
      }
    }
    isStoring = false;
  }

  function open(token: string): void {
    drop();
    try {
      socket = new Socket!(options.url, subprotocols(token));
      listen(socket);
    } catch (error) {
      call(options.onError, error);
      feed({ type: "socketClosed", code: closeCode.abnormal });
    }
  }

  function listen(mine: WebSocketLike): void {
    let isOpen = false;
    // What a socket that was given up still says concerns nobody.
    const on = (type: SocketEventType, listener: (event: SocketEvent) => void): void =>
      mine.addEventListener(type, (event: SocketEvent) => {
        if (socket === mine) listener(event);
      });
    const closed = (code: number): void => {
      socket = undefined;
      feed({ type: "socketClosed", code });
    };
    on("open", () => {
      isOpen = true;
      feed({ type: "opened" });
    });
    on("message", (event) => {
      const frame = parseFrame(event.data);
      if (frame !== undefined) feed({ type: "frame", frame });
    });
    on("close", (event) => closed(event.code ?? closeCode.abnormal));
    on("error", () => {
      // Node 22 has no close event after a refused connection; once open, the close event has the code that matters.
      if (!isOpen) closed(closeCode.abnormal);
    });
  }

  function drop(): void {
    const old = socket;
    socket = undefined;
    old?.close(closeCode.normal);
  }

  function setTimer(name: TimerName, ms: number | null): void {
    clearTimeout(timers.get(name));
    timers.delete(name);
    if (ms === null) return;
    const timer = setTimeout(() => {
      timers.delete(name);
      feed({ type: "timer", name });
    }, ms);
    timers.set(name, timer);
  }

  function deliver(note: Note): void {
    call(options.onNote, note);
    for (const handler of handlers.get(note.type) ?? []) call(handler, note as never);
  }

  function call<A>(handler: ((argument: A) => void) | undefined, argument: A): void {
    try {
      handler?.(argument);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  const wake = (): void => feed({ type: "wake" });
  if (page.document !== undefined) page.addEventListener?.("online", wake);
  // After this call has returned, so that handlers may use its result.
  queueMicrotask(() => feed({ type: "start" }));

  return {
    get state() {
      return machine.state;
    },
    on(type, handler) {
      const set = handlers.get(type) ?? new Set();
      handlers.set(type, set.add(handler));
      return () => void set.delete(handler);
    },
    ack: (cursor) => feed({ type: "ack", cursor }),
    retryNow: wake,
    close: () => feed({ type: "stop" }),
  };
}
