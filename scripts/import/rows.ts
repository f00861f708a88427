import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { parse } from "csv-parse";

/** A line of the Online Retail file, as text. */
export interface RetailRow {
  readonly invoiceNo: string;
  readonly stockCode: string;
  readonly quantity: string;
  /** Local UK time, `2010-12-01 08:26:00`. */
  readonly invoiceDate: string;
  /** Decimal pounds. */
  readonly unitPrice: string;
  /** `17850.0`, or empty. */
  readonly customerId: string;
}

/** The file is not what the importer reads; the message says what is wrong. */
export class RetailFileError extends Error {
  override readonly name = "RetailFileError";
}

const columns = ["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"] as const;

/** The rows of a .csv or .csv.gz file, one after the other: the file is never in memory as a whole. */
export async function* readRows(path: string): AsyncGenerator<RetailRow> {
  const parser = parse({ bom: true, skip_empty_lines: true });
  const file = createReadStream(path);
  // An error of any part ends the parser with it, which the loop below throws.
  if (path.endsWith(".gz")) pipeline(file, createGunzip(), parser, () => {});
  else pipeline(file, parser, () => {});
  let at: readonly number[] | undefined;
  try {
    for await (const fields of parser as AsyncIterable<readonly string[]>) {
      if (at === undefined) {
        at = columns.map((column) => fields.indexOf(column));
        const missing = columns.filter((_, i) => at?.[i] === -1);
        if (missing.length > 0) throw new RetailFileError(`${path}: the first line has no column ${missing.join(", ")}`);
        continue;
      }
      const [invoiceNo = "", stockCode = "", quantity = "", invoiceDate = "", unitPrice = "", customerId = ""] = at.map(
        (index) => fields[index],
      );
      yield { invoiceNo, stockCode, quantity, invoiceDate, unitPrice, customerId };
    }
  } catch (error) {
    if (error instanceof RetailFileError) throw error;
    throw new RetailFileError(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (at === undefined) throw new RetailFileError(`${path}: the file is empty`);
}
