import type { OrderEvent, OrderPlaced } from "@perkstream/contracts";

/** What is done to a record's bytes: nothing that decodes, cut in the middle, or with bytes behind its end. */
export type Damage = "garbage" | "truncated" | "trailing";

/** What is different from the good record. */
export interface Breakage {
  readonly key?: string;
  readonly event?: OrderEvent;
  readonly damage?: Damage;
}

/** How a record can be wrong: each makes another kind of dead letter. None of its orders is ever counted. */
export const breakages: readonly ((order: OrderPlaced) => Breakage)[] = [
  () => ({ damage: "garbage" }),
  (order) => ({ event: { ...order, lines: [] } }),
  (order) => ({ event: { ...order, lines: order.lines.map((line) => ({ ...line, netMinor: -line.netMinor })) } }),
  () => ({ damage: "truncated" }),
  (order) => ({ event: { ...order, occurredAt: order.occurredAt + 3_600_000 } }),
  (order) => ({ event: { ...order, currency: order.currency === "XTS" ? "XXX" : "XTS" } }),
  (order) => ({ key: `${order.merchantId}:somebody-else` }),
  (order) => ({ event: { ...order, customerId: "c".repeat(65) }, key: `${order.merchantId}:${"c".repeat(65)}` }),
  () => ({ damage: "trailing" }),
  (order) => ({ event: { ...order, paidWithCashbackMinor: 10_000_000n } }),
];

/** The bytes of a record as it is sent. */
export function damaged(value: Buffer, damage: Damage | null): Buffer {
  if (damage === "garbage") return Buffer.from('{"this":"is not Avro"}');
  if (damage === "truncated") return value.subarray(0, Math.floor(value.length / 2));
  if (damage === "trailing") return Buffer.concat([value, Buffer.of(0, 0)]);
  return value;
}
