/** Every way in which the notifier closes a socket; the reason sent is the name. A client treats 4000 to 4003 as final or in need of a token, the rest as a reason to retry. */
export const closeCodes = {
  /** A frame that the protocol does not know, is too long, or comes when it must not. Final. */
  bad_frame: 4000,
  /** No, bad or expired token, or another customer's in `auth`. Needs a fresh one. */
  token: 4001,
  /** By the merchant. Final, until the application connects anew. */
  disconnected: 4002,
  /** A page of a foreign origin. Final. */
  origin: 4003,
  /** The client reads more slowly than its notifications come. */
  too_slow: 4008,
  /** Another device connected and there were too many: the oldest goes. */
  too_many_devices: 4009,
  /** More frames in a second than allowed. */
  frame_rate: 4013,
  /** The process restarts, or lost its place in the topic. */
  restart: 1012,
  /** What was missed could not be read in time. */
  overloaded: 1013,
} as const;

export type CloseReason = keyof typeof closeCodes;
