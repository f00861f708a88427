import type { Customer } from "@perkstream/inbox";
import type { Connection } from "./protocol/connection.ts";

/** The part of a socket that the notifier uses. */
export interface Socket {
  send(frame: string): void;
  /** Bytes that the kernel has not taken yet. */
  buffered(): number;
  close(code: number, reason: string): void;
}

/** A connection with its socket. */
export interface Client {
  readonly connection: Connection;
  readonly socket: Socket;
  readonly customer: Customer;
  /** When it was welcomed, in ms since 1970; 0 before. */
  since: number;
  /** Wakes the hand-over that waits for the socket to drain. */
  onDrain: (() => void) | null;
}
