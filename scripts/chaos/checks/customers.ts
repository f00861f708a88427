import type { OnlineCustomer } from "../customer.ts";
import type { Stored } from "./notifications.ts";

/** What the customer must have seen: all of the inbox that came after the beginning of the first connection. */
export function owed(customer: OnlineCustomer, inbox: ReadonlyMap<string, readonly Stored[]>): readonly Stored[] {
  if (customer.firstCursor === null) return [];
  const from = Number(customer.firstCursor.slice(customer.firstCursor.indexOf(":") + 1));
  return (inbox.get(`${customer.merchantId}:${customer.customerId}`) ?? []).filter(({ offset }) => offset > from);
}

/** Each once, in the order of cursors. */
export function checkCustomer(customer: OnlineCustomer, inbox: ReadonlyMap<string, readonly Stored[]>): string[] {
  const who = `customer ${customer.merchantId}:${customer.customerId}`;
  if (customer.ended !== null) return [`${who} was turned away for good: ${customer.ended}`];
  if (customer.firstCursor === null) return [`${who} never came online`];
  const refused = customer.refused.map((cursor) => `${who} was refused its cursor ${cursor}`);
  const expected = owed(customer, inbox).map(({ id, partition, offset }) => `${id} at ${partition}:${offset}`);
  const seen = customer.seen.map(({ id, cursor }) => `${id} at ${cursor}`);
  const counts = new Map<string, number>();
  for (const note of seen) counts.set(note, (counts.get(note) ?? 0) + 1);
  const violations = [
    ...refused,
    ...expected.filter((note) => !counts.has(note)).map((note) => `${who} has not seen ${note}`),
    ...[...counts].filter(([, count]) => count > 1).map(([note, count]) => `${who} has seen ${note} ${count} times`),
    ...[...counts.keys()].filter((note) => !expected.includes(note)).map((note) => `${who} has seen ${note}, which is not in the inbox`),
  ];
  if (violations.length > 0) return violations;
  const at = seen.findIndex((note, i) => note !== expected[i]);
  return at === -1 ? [] : [`${who} has seen ${seen[at]} before ${expected[at]}`];
}
