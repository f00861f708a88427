/** A customer of a merchant, as the key of a notification names it. */
export interface Customer {
  readonly merchant: string;
  readonly customerId: string;
}

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const maxCustomerLength = 64;

export function isUuid(text: string): boolean {
  return uuidForm.test(text);
}

/** Whether a text can be a customer's id: 1 to 64 characters (code points: a pair of surrogates is one) that Postgres can hold. */
export function isCustomerId(customerId: string): boolean {
  if (customerId.includes("\u0000") || !customerId.isWellFormed()) return false;
  if (customerId.length <= maxCustomerLength) return customerId.length > 0;
  return customerId.length <= 2 * maxCustomerLength && Array.from(customerId).length <= maxCustomerLength;
}

/** `merchantId:customerId`, the key of the customer's records. */
export function customerKey(customer: Customer): string {
  return `${customer.merchant}:${customer.customerId}`;
}

/** The customer that a key names, or null when it is not `<uuid>:<1 to 64 characters>`. */
export function parseCustomerKey(key: string): Customer | null {
  if (key.charCodeAt(36) !== 58) return null;
  const merchant = key.slice(0, 36);
  const customerId = key.slice(37);
  if (!isUuid(merchant) || !isCustomerId(customerId)) return null;
  // U+FFFD stands for bytes that were not UTF-8.
  if (customerId.includes("\uFFFD")) return null;
  return { merchant, customerId };
}
