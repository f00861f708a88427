import { dayOf, instantOf } from "@perkstream/calendar";
import type { OrderEvent, OrderPlaced, OrderRefunded } from "@perkstream/contracts";
import { lineMinor } from "./decimal.ts";
import { RetailFileError, type RetailRow } from "./rows.ts";

/** Why rows make no line and no refund. */
const skipCauses = [
  "noCustomer",
  "orderQuantityNotPositive",
  "negativePrice",
  "cancellationQuantityNotNegative",
  "cancellationWithoutAmount",
  "noMatchingLine",
] as const;
export type SkipCause = (typeof skipCauses)[number];

export interface RetailEvents {
  /** In the order of events: by time, then by the invoice's first row in the file. */
  readonly events: OrderEvent[];
  readonly orders: number;
  readonly refunds: number;
  readonly customers: number;
  readonly rows: number;
  readonly skipped: Readonly<Record<SkipCause, number>>;
}

interface Invoice {
  readonly number: string;
  readonly customerId: string;
  readonly firstRow: number;
  at: number;
  readonly rows: { readonly stockCode: string; readonly quantity: bigint; readonly unitPrice: string }[];
}

/** What can still be cancelled of an order. */
interface OpenOrder {
  readonly orderId: string;
  readonly lines: { readonly sku: string; quantity: bigint; minor: bigint }[];
}

const currency = "GBP";
const timeZone = "Europe/London";
const timePattern = /^(\d{4}-\d{2}-\d{2}) (\d{2}):(\d{2}):(\d{2})$/;

/** Takes the file's rows one by one and then gives the events that they make, for one merchant. */
export class RetailImport {
  private readonly merchantId: string;
  private readonly invoices = new Map<string, Invoice>();
  private readonly skipped = Object.fromEntries(skipCauses.map((cause) => [cause, 0])) as Record<SkipCause, number>;
  private readonly times = new Map<string, number>();
  private rows = 0;

  constructor(merchantId: string) {
    this.merchantId = merchantId;
  }

  /** Throws RetailFileError with the row's number for numbers and times that cannot be read. */
  add(row: RetailRow): void {
    this.rows += 1;
    if (row.customerId === "") {
      this.skipped.noCustomer += 1;
      return;
    }
    if (!/^-?\d+$/.test(row.quantity)) throw this.rowError(`Quantity "${row.quantity}" is no whole number`);
    if (!/^-?\d+(\.\d+)?$/.test(row.unitPrice)) throw this.rowError(`UnitPrice "${row.unitPrice}" is no decimal number`);
    const at = this.instant(row.invoiceDate);
    let invoice = this.invoices.get(row.invoiceNo);
    if (invoice === undefined) {
      const customerId = row.customerId.replace(/\.0$/, "");
      invoice = { number: row.invoiceNo, customerId, firstRow: this.rows, at, rows: [] };
      this.invoices.set(row.invoiceNo, invoice);
    }
    invoice.at = Math.min(invoice.at, at);
    invoice.rows.push({ stockCode: row.stockCode, quantity: BigInt(row.quantity), unitPrice: row.unitPrice });
  }

  events(): RetailEvents {
    const inOrder = [...this.invoices.values()].sort((a, b) => a.at - b.at || a.firstRow - b.firstRow);
    const ordersOf = new Map<string, OpenOrder[]>();
    const skipped = { ...this.skipped };
    const events: OrderEvent[] = [];
    let orders = 0;
    for (const invoice of inOrder) {
      const open = ordersOf.get(invoice.customerId) ?? [];
      ordersOf.set(invoice.customerId, open);
      if (invoice.number.startsWith("C")) {
        events.push(...this.refunds(invoice, open, skipped));
        continue;
      }
      const order = this.order(invoice, skipped);
      if (order === null) continue;
      orders += 1;
      events.push(order);
      open.push(openOrder(order));
    }
    const customers = [...ordersOf.values()].filter((open) => open.length > 0).length;
    return { events, orders, refunds: events.length - orders, customers, rows: this.rows, skipped };
  }

  private order(invoice: Invoice, skipped: Record<SkipCause, number>): OrderPlaced | null {
    const lines = invoice.rows.flatMap(({ stockCode, quantity, unitPrice }) => {
      if (quantity <= 0n) skipped.orderQuantityNotPositive += 1;
      else if (unitPrice.startsWith("-")) skipped.negativePrice += 1;
      else return [{ sku: stockCode, category: null, quantity: Number(quantity), netMinor: lineMinor(quantity, unitPrice) }];
      return [];
    });
    if (lines.length === 0) return null;
    return { type: "OrderPlaced", ...this.head(invoice, invoice.number), currency, lines, paidWithCashbackMinor: 0n };
  }

  /** One event per order that the cancellation's rows were matched with, in the order of their first match. */
  private refunds(invoice: Invoice, open: readonly OpenOrder[], skipped: Record<SkipCause, number>): OrderRefunded[] {
    const matched = new Map<string, Map<number, bigint>>();
    for (const { stockCode, quantity: written, unitPrice } of invoice.rows) {
      const quantity = -written;
      const minor = lineMinor(quantity, unitPrice);
      if (quantity <= 0n) skipped.cancellationQuantityNotNegative += 1;
      else if (minor <= 0n) skipped.cancellationWithoutAmount += 1;
      else {
        const match = takeLine(open, stockCode, quantity, minor);
        if (match === null) {
          skipped.noMatchingLine += 1;
          continue;
        }
        const lines = matched.get(match.orderId) ?? new Map<number, bigint>();
        matched.set(match.orderId, lines);
        lines.set(match.line, (lines.get(match.line) ?? 0n) + minor);
      }
    }
    const events: OrderRefunded[] = [];
    for (const [orderId, lines] of matched) {
      const refunded = [...lines].map(([line, netMinor]) => ({ line, netMinor }));
      events.push({ type: "OrderRefunded", ...this.head(invoice, orderId), refundId: invoice.number, lines: refunded });
    }
    return events;
  }

  private head({ customerId, at }: Invoice, orderId: string) {
    return { merchantId: this.merchantId, customerId, orderId, occurredAt: at };
  }

  /** Most rows share their time with the row before them. */
  private instant(text: string): number {
    const known = this.times.get(text);
    if (known !== undefined) return known;
    const match = timePattern.exec(text);
    if (match === null) throw this.rowError(`InvoiceDate "${text}" is not of the form 2010-12-01 08:26:00`);
    const [, date = "", hour, minute, second] = match;
    const msOfDay = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000;
    let at: number;
    try {
      at = instantOf(dayOf(date), msOfDay, timeZone);
    } catch (error) {
      throw this.rowError(error instanceof Error ? error.message : String(error));
    }
    this.times.set(text, at);
    return at;
  }

  private rowError(message: string): RetailFileError {
    return new RetailFileError(`row ${this.rows}: ${message}`);
  }
}

function openOrder({ orderId, lines }: OrderPlaced): OpenOrder {
  return { orderId, lines: lines.map(({ sku, quantity, netMinor }) => ({ sku, quantity: BigInt(quantity), minor: netMinor })) };
}

/** The first line of the latest order that has so much of this product left; takes it away there. */
function takeLine(open: readonly OpenOrder[], sku: string, quantity: bigint, minor: bigint): { orderId: string; line: number } | null {
  for (const { orderId, lines } of open.toReversed()) {
    const line = lines.findIndex((candidate) => candidate.sku === sku && candidate.quantity >= quantity && candidate.minor >= minor);
    const found = lines[line];
    if (found === undefined) continue;
    found.quantity -= quantity;
    found.minor -= minor;
    return { orderId, line };
  }
  return null;
}
