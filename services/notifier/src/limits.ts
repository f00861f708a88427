import type { ConnectionLimits } from "./protocol/connection.ts";

/** Every bound of the notifier; all are settings. */
export interface Limits extends ConnectionLimits {
  /** Connections of one customer; one more closes the oldest. */
  readonly devices: number;
  /** Connections in all; further upgrades are answered 503. */
  readonly connections: number;
  readonly upgradesPerSecond: number;
  /** What may wait for one socket, in bytes; at half of it the client is too slow. */
  readonly sendBufferBytes: number;
  /** How long a connection may wait for what it missed. */
  readonly handOverMs: number;
  /** Notes of a first connection without a cursor. */
  readonly unread: number;
  /** A socket from which nothing is heard for so long is closed. Multiple of 4. */
  readonly idleSeconds: number;
}

export const defaultLimits: Limits = {
  frameBytes: 4_096,
  framesPerSecond: 10,
  helloMs: 5_000,
  heldBytes: 256 * 1_024,
  devices: 10,
  connections: 20_000,
  upgradesPerSecond: 1_000,
  sendBufferBytes: 256 * 1_024,
  handOverMs: 5_000,
  unread: 100,
  idleSeconds: 60,
};
