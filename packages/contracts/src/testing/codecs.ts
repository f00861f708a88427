import type { RecordCodec } from "../codec.ts";
import { notificationsCodecs } from "../generated/notifications.ts";
import { ordersCodecs } from "../generated/orders.ts";
import type { NotificationEvent } from "../notifications.ts";
import type { OrderEvent } from "../orders.ts";

/** Every generated codec, for tests that go over all records. */
export const allCodecs: readonly RecordCodec<OrderEvent | NotificationEvent>[] = [
  ...Object.values<RecordCodec<OrderEvent | NotificationEvent>>(ordersCodecs),
  ...Object.values<RecordCodec<OrderEvent | NotificationEvent>>(notificationsCodecs),
];

/** The schema with `change` applied to its JSON. */
export function changed(schema: string, change: (json: SchemaJson) => void): string {
  const json = JSON.parse(schema) as SchemaJson;
  change(json);
  return JSON.stringify(json);
}

interface FieldJson {
  name: string;
  type: unknown;
  default?: unknown;
}
export interface SchemaJson {
  name: string;
  fields: FieldJson[];
}
