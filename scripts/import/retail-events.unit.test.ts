import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { lineMinor } from "./decimal.ts";
import { RetailImport } from "./retail-events.ts";
import { readRows, type RetailRow } from "./rows.ts";

const sample = fileURLToPath(new URL("../data/online-retail-sample.csv", import.meta.url));

/** `invoice product quantity price customer time`, the last two with defaults. */
function row(text: string): RetailRow {
  const [invoiceNo = "", stockCode = "", quantity = "", unitPrice = "", customerId = "1", time = "2011-01-10T12:00:00"] = text.split(" ");
  return {
    invoiceNo,
    stockCode,
    quantity,
    unitPrice,
    customerId: customerId === "-" ? "" : `${customerId}.0`,
    invoiceDate: time.replace("T", " "),
  };
}

function run(...rows: string[]) {
  const retail = new RetailImport("m");
  for (const text of rows) retail.add(row(text));
  return retail.events();
}

/** Events in a short form: `order 1 A:6:1530` or `refund C2 of 1 0:510`. */
function short(...rows: string[]): string[] {
  return run(...rows).events.map((event) => {
    if (event.type === "OrderPlaced")
      return `order ${event.orderId} ${event.lines.map(({ sku, quantity, netMinor }) => `${sku}:${quantity}:${netMinor}`).join(" ")}`;
    if (event.type === "OrderRefunded")
      return `refund ${event.refundId} of ${event.orderId} ${event.lines.map(({ line, netMinor }) => `${line}:${netMinor}`).join(" ")}`;
    return event.type;
  });
}

describe("exact amounts", () => {
  it.each([
    [6n, "2.55", 1530n],
    [3n, "0.1", 30n],
    [1n, "0.001", 0n],
    [5n, "0.001", 1n],
    [-5n, "0.001", -1n],
    [1n, "1.005", 101n],
    [1n, "1.0049", 100n],
    [1n, "0", 0n],
    [80_995n, "2.08", 16_846_960n],
    [1n, "-11062.06", -1_106_206n],
    [9_007_199_254_740_993n, "0.01", 9_007_199_254_740_993n],
  ])("%s × %s", (quantity, price, minor) => {
    expect(lineMinor(quantity, price)).toBe(minor);
  });

  it("takes decimal numbers only", () => {
    for (const text of ["", "1e3", "1.", ".5", "1,5", "NaN", " 1"]) expect(() => lineMinor(1n, text)).toThrow(RangeError);
  });
});

describe("rows of an order", () => {
  it("are its lines, in file order, equal ones separate", () => {
    expect(run("536365 85123A 6 2.55 17850 2010-12-01T08:26:00", "536365 85123A 6 2.55 17850 2010-12-01T08:26:00").events).toEqual([
      {
        type: "OrderPlaced",
        merchantId: "m",
        customerId: "17850",
        orderId: "536365",
        occurredAt: Date.UTC(2010, 11, 1, 8, 26),
        currency: "GBP",
        lines: [
          { sku: "85123A", category: null, quantity: 6, netMinor: 1530n },
          { sku: "85123A", category: null, quantity: 6, netMinor: 1530n },
        ],
        paidWithCashbackMinor: 0n,
      },
    ]);
  });

  it("without a customer are left out", () => {
    expect(run("1 A 1 1 -", "1 A 1 1 -")).toMatchObject({ events: [], orders: 0, rows: 2, skipped: { noCustomer: 2 } });
  });

  it("with no quantity or a negative price make no line; an invoice without lines is no event", () => {
    const result = run("1 A 0 1", "1 B -2 1", "1 C 1 -3", "2 A 1 2", "2 B -1 1");
    expect(result).toMatchObject({ orders: 1, skipped: { orderQuantityNotPositive: 3, negativePrice: 1 } });
    expect(result.events).toMatchObject([{ orderId: "2", lines: [{ sku: "A" }] }]);
  });

  it("at price 0 stay, and what is no product counts too", () => {
    expect(short("1 A 3 0", "1 POST 1 18.00", "1 M 1 0.5")).toEqual(["order 1 A:3:0 POST:1:1800 M:1:50"]);
  });

  it("tell the earliest time; events go by time, then by their first row", () => {
    expect(
      short(
        "2 A 1 1 1 2011-01-10T12:05:00",
        "1 A 1 1 1 2011-01-10T12:04:00",
        "3 A 1 1 1 2011-01-10T12:04:00",
        "2 B 1 1 1 2011-01-10T12:03:00",
      ),
    ).toEqual(["order 2 A:1:100 B:1:100", "order 1 A:1:100", "order 3 A:1:100"]);
  });

  it("have UK time: the first of two where the clocks go back", () => {
    const times = ["2011-07-01T12:00:00", "2011-10-30T01:30:00", "2011-12-01T12:00:00"].map((time, i) => `${i} A 1 1 1 ${time}`);
    expect(run(...times).events.map(({ occurredAt }) => new Date(occurredAt).toISOString())).toEqual([
      "2011-07-01T11:00:00.000Z",
      "2011-10-30T00:30:00.000Z",
      "2011-12-01T12:00:00.000Z",
    ]);
  });

  it("that cannot be read are named", () => {
    expect(() => run("1 A 1 1", "1 A x 1")).toThrow('row 2: Quantity "x" is no whole number');
    expect(() => run("1 A 1 1e5")).toThrow('row 1: UnitPrice "1e5" is no decimal number');
    expect(() => run("1 A 1 1 1 2011-02-30T12:00:00")).toThrow("row 1: not a date");
    expect(() => run("1 A 1 1 1 10/02/2011")).toThrow('row 1: InvoiceDate "10/02/2011" is not of the form');
  });
});

describe("a cancellation", () => {
  const at = (day: number) => `1 2011-01-${day}T12:00:00`;

  it("takes from the latest order with so much left, the first such line", () => {
    expect(short(`1 A 5 1 ${at(10)}`, `2 A 1 1 ${at(11)}`, `2 A 3 1 ${at(11)}`, `2 A 3 1 ${at(11)}`, `C3 A -3 1 ${at(12)}`).at(-1)).toBe(
      "refund C3 of 2 1:300",
    );
    expect(short(`1 A 5 1 ${at(10)}`, `2 A 3 1 ${at(11)}`, `C3 A -4 1 ${at(12)}`).at(-1)).toBe("refund C3 of 1 0:400");
  });

  it("leaves less for the next", () => {
    expect(short(`1 A 5 1 ${at(10)}`, `C2 A -3 1 ${at(11)}`, `C3 A -3 1 ${at(12)}`, `C4 A -2 1 ${at(13)}`)).toEqual([
      "order 1 A:5:500",
      "refund C2 of 1 0:300",
      "refund C4 of 1 0:200",
    ]);
  });

  it("wants the amount too: a dearer price than was paid finds nothing", () => {
    const result = run(`1 A 5 1 ${at(10)}`, `C2 A -5 1.01 ${at(11)}`);
    expect(result).toMatchObject({ refunds: 0, skipped: { noMatchingLine: 1 } });
  });

  it("adds up its rows of one line, and makes an event per order in the order of their first match", () => {
    const orders = [`1 A 2 1 ${at(10)}`, `1 B 2 1 ${at(10)}`, `2 A 3 1 ${at(11)}`];
    expect(short(...orders, `C3 A -2 1 ${at(12)}`, `C3 B -1 1 ${at(12)}`, `C3 A -1 1 ${at(12)}`, `C3 A -1 1 ${at(12)}`).slice(2)).toEqual([
      "refund C3 of 2 0:300",
      "refund C3 of 1 1:100 0:100",
    ]);
  });

  it("sees only earlier orders of the same customer", () => {
    const result = run(
      "1 A 5 1 1 2011-01-10T12:00:00",
      "2 A 5 1 2 2011-01-12T12:00:00",
      "C3 A -1 1 2 2011-01-11T12:00:00",
      "C4 A -1 1 3 2011-01-13T12:00:00",
    );
    expect(result).toMatchObject({ refunds: 0, skipped: { noMatchingLine: 2 } });
  });

  it("skips rows without a quantity or an amount", () => {
    expect(run("1 A 5 0", "C2 A 1 1", "C2 A 0 1", "C2 A -1 0", "C2 A -1 0.001")).toMatchObject({
      refunds: 0,
      skipped: { cancellationQuantityNotNegative: 2, cancellationWithoutAmount: 2, noMatchingLine: 0 },
    });
  });
});

describe("the sample of the repository", () => {
  it("gives what it always gave, each refund within its order", async () => {
    const retail = new RetailImport("m");
    for await (const one of readRows(sample)) retail.add(one);
    const { events, ...counts } = retail.events();
    expect(counts).toEqual({
      customers: 51,
      orders: 241,
      refunds: 70,
      rows: 3_010,
      skipped: {
        noCustomer: 59,
        orderQuantityNotPositive: 0,
        negativePrice: 0,
        cancellationQuantityNotNegative: 0,
        cancellationWithoutAmount: 0,
        noMatchingLine: 16,
      },
    });
    const left = new Map<string, bigint[]>();
    let last = 0;
    for (const event of events) {
      expect(event.occurredAt).toBeGreaterThanOrEqual(last);
      last = event.occurredAt;
      if (event.type === "OrderPlaced")
        left.set(
          event.orderId,
          event.lines.map(({ netMinor }) => netMinor),
        );
      if (event.type !== "OrderRefunded") continue;
      const remaining = left.get(event.orderId) ?? [];
      for (const { line, netMinor } of event.lines) {
        remaining[line] = (remaining[line] ?? 0n) - netMinor;
        expect(remaining[line]).toBeGreaterThanOrEqual(0n);
      }
    }
  });

  it("a file that is missing or something else is one sentence", async () => {
    const read = async (path: string) => {
      for await (const _ of readRows(path)) break;
    };
    await expect(read("/nowhere/file.csv")).rejects.toMatchObject({
      name: "RetailFileError",
      message: expect.stringContaining("ENOENT") as string,
    });
    await expect(read(fileURLToPath(new URL("../data/README.md", import.meta.url)))).rejects.toMatchObject({
      name: "RetailFileError",
      message: expect.stringMatching(/README\.md: (the first line has no column InvoiceNo|Invalid Record Length)/) as string,
    });
  });
});
