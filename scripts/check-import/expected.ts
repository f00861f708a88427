import type { OrderEvent } from "@perkstream/contracts";
import { type EventInput, openModel, type Snapshot } from "@perkstream/reference";
import { campaign, ladder, merchant, sweptAt } from "./rules.ts";

/** What the reference model says of one customer, who is alone in its world: nothing here depends on other customers. */
export function expectedOf(events: readonly OrderEvent[]): Snapshot {
  const model = openModel({ merchant, ladder, campaigns: [campaign] });
  for (const event of events) model.apply({ at: new Date(event.occurredAt).toISOString(), event: inputOf(event) });
  model.apply({ at: sweptAt, sweep: true });
  return model.look();
}

function inputOf(event: OrderEvent): EventInput {
  const { customerId, orderId } = event;
  const head = { customerId, orderId };
  if (event.type === "OrderCancelled") return { type: event.type, ...head, reason: event.reason };
  if (event.type === "OrderRefunded") {
    const lines = event.lines.map(({ line, netMinor }) => ({ line, netMinor: Number(netMinor) }));
    return { type: event.type, ...head, refundId: event.refundId, lines };
  }
  const lines = event.lines.map(({ sku, category, quantity, netMinor }) => ({ sku, category, quantity, netMinor: Number(netMinor) }));
  return { type: event.type, ...head, currency: event.currency, lines };
}
