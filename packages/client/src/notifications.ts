import type { Notifications } from "./generated/notifications.ts";

/* What a customer can be told, as JSON: amounts are integers in minor units of `currency`, times are ISO 8601 in UTC. */

export type * from "./generated/notifications.ts";

export type NotificationType = keyof Notifications;

/** One notification. `cursor` is `<partition>:<offset>`; the server may also send types that this version does not list. */
export type Note<T extends NotificationType = NotificationType> = {
  [K in T]: { cursor: string; id: string; type: K; at: string; data: Notifications[K] };
}[T];
