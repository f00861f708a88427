import { notificationsCodecs } from "./generated/notifications.ts";
import { ordersCodecs } from "./generated/orders.ts";

/** A record type of a topic and its schema's text in the one serialization that is registered. */
export interface PublishedSchema {
  readonly topic: string;
  readonly subject: string;
  readonly fullName: string;
  readonly schema: string;
}

/** Every schema of the repository: orders first, then notifications, by name. */
export const schemas: readonly PublishedSchema[] = [...Object.values(ordersCodecs), ...Object.values(notificationsCodecs)].map(
  ({ topic, subject, fullName, schema }) => ({ topic, subject, fullName, schema }),
);

/** TopicRecordNameStrategy: the subject of a record type in a topic. */
export function subjectOf(topic: string, fullName: string): string {
  return `${topic}-${fullName}`;
}
