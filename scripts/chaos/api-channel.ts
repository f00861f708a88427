import type { OrderEvent } from "@perkstream/contracts";
import type { BenchMerchant } from "../bed/merchants.ts";

const answerLimitMs = 15_000;

export interface ApiChannel {
  /** Whether it was acknowledged: the answer is 202. */
  send(event: OrderEvent, options: { readonly namesTime: boolean; readonly idempotencyKey: string | null }): Promise<boolean>;
  /** Answers that must not be, whatever is broken behind the API. */
  readonly violations: string[];
}

/** Orders, refunds and cancellations through the merchant API. */
export function openApiChannel(origin: string, merchants: readonly BenchMerchant[]): ApiChannel {
  const keys = new Map(merchants.map(({ merchantId, apiKey }) => [merchantId, apiKey]));
  const violations: string[] = [];
  return {
    violations,
    async send(event, { namesTime, idempotencyKey }) {
      const { path, body } = requestOf(event, namesTime);
      const headers = {
        "content-type": "application/json",
        "x-api-key": keys.get(event.merchantId) ?? "",
        ...(idempotencyKey === null ? {} : { "idempotency-key": idempotencyKey }),
      };
      try {
        const init = { method: "POST", headers, body: JSON.stringify(body), signal: AbortSignal.timeout(answerLimitMs) };
        const response = await fetch(`${origin}${path}`, init);
        const text = await response.text();
        // Busy with the same key (409) and away (503): the same again later.
        const isRetried = response.status === 503 || response.status === 429 || (response.status === 409 && idempotencyKey !== null);
        if (response.status !== 202 && !isRetried)
          violations.push(`the API answered ${response.status} to POST ${path}: ${text.slice(0, 300)}`);
        return response.status === 202;
      } catch {
        return false; // down, reset or too slow: nobody knows whether it was taken
      }
    },
  };
}

function requestOf(event: OrderEvent, namesTime: boolean): { path: string; body: object } {
  const { customerId, orderId } = event;
  const time = namesTime ? { occurredAt: new Date(event.occurredAt).toISOString() } : {};
  const path = `/v1/orders/${encodeURIComponent(orderId)}`;
  if (event.type === "OrderCancelled") return { path: `${path}/cancel`, body: { customerId, ...time, reason: event.reason } };
  if (event.type === "OrderRefunded") {
    const lines = event.lines.map(({ line, netMinor }) => ({ line, netMinor: Number(netMinor) }));
    return { path: `${path}/refunds`, body: { customerId, refundId: event.refundId, ...time, lines } };
  }
  const lines = event.lines.map(({ sku, category, quantity, netMinor }) => ({ sku, category, quantity, netMinor: Number(netMinor) }));
  return { path: "/v1/orders", body: { orderId, customerId, ...time, currency: event.currency, lines } };
}
