import { topics } from "@perkstream/contracts";
import { checkTable, type Report, type Snapshot } from "@perkstream/verify";
import type { VerifiedProgram } from "./options.ts";

interface PresenceRow {
  readonly merchant: string;
  readonly order_id: string;
  readonly refund_id?: string;
  readonly part: number;
  readonly off: bigint;
}

const NOTE = "the other program has it, and this one has read past it without a dead letter";

/**
 * Events that only one of the two programs counted although both have read past them. `--merchant` narrows it by `merchant` (surrogate id).
 * Both read the same log by the same rules: what is in one must be in the other, or be a dead letter there.
 */
export async function verifyBothPrograms(snapshot: Snapshot, report: Report, merchant: number | null): Promise<void> {
  for (const [program, other] of [
    ["tier", "cashback"],
    ["cashback", "tier"],
  ] as const) {
    await missingOrders(snapshot, report, program, other, merchant);
    await missingRefunds(snapshot, report, program, other, merchant);
    await missingParked(snapshot, report, program, other, merchant);
  }
  await differingOrders(snapshot, report, merchant);
}

/** Joins the program's progress (alias `p`) to a record of the other one (alias `b`). */
function progressOf(program: VerifiedProgram): string {
  return `JOIN ${program}.progress p ON p.topic = '${topics.orders}' AND p.part = b.part`;
}

/** The program has read past the record and made no dead letter of it. */
function readPast(program: VerifiedProgram, offset = "b.off"): string {
  return `${offset} < p.next_off AND NOT EXISTS (SELECT FROM ${program}.dead_letter d WHERE d.part = b.part AND d.off = b.off)`;
}

function ofMerchant(merchant: number | null): string {
  return merchant === null ? "" : ` AND b.merchant = ${Math.trunc(merchant)}`;
}

function missing(
  snapshot: Snapshot,
  report: Report,
  program: VerifiedProgram,
  thing: "order" | "refund" | "parked",
  query: string,
): Promise<void> {
  return checkTable<PresenceRow>(snapshot, report, {
    program,
    thing,
    problem: "missing",
    query,
    where: ({ merchant, order_id, refund_id, part, off }) => ({
      merchant,
      order: order_id,
      ...(refund_id === undefined ? {} : { refund: refund_id }),
      partition: part,
      offset: Number(off),
    }),
    expected: () => ({ stored: true }),
    found: () => null,
    note: NOTE,
  });
}

function missingOrders(
  snapshot: Snapshot,
  report: Report,
  program: VerifiedProgram,
  other: VerifiedProgram,
  merchant: number | null,
): Promise<void> {
  return missing(
    snapshot,
    report,
    program,
    "order",
    `SELECT m.merchant_id AS merchant, b.order_id, b.part, b.off FROM ${other}."order" b
     LEFT JOIN ${program}."order" a ON a.merchant = b.merchant AND a.order_id = b.order_id JOIN merchant.merchant m ON m.id = b.merchant
     ${progressOf(program)} WHERE a.order_id IS NULL AND ${readPast(program)}${ofMerchant(merchant)} ORDER BY 1, 2`,
  );
}

function missingRefunds(
  snapshot: Snapshot,
  report: Report,
  program: VerifiedProgram,
  other: VerifiedProgram,
  merchant: number | null,
): Promise<void> {
  return missing(
    snapshot,
    report,
    program,
    "refund",
    `SELECT m.merchant_id AS merchant, b.order_id, b.refund_id, b.part, b.off FROM ${other}.refund b
     JOIN ${program}."order" o ON o.merchant = b.merchant AND o.order_id = b.order_id
     LEFT JOIN ${program}.refund a ON a.merchant = b.merchant AND a.order_id = b.order_id AND a.refund_id = b.refund_id
     JOIN merchant.merchant m ON m.id = b.merchant
     ${progressOf(program)} WHERE a.order_id IS NULL AND ${readPast(program, "greatest(b.off, o.off)")}${ofMerchant(merchant)} ORDER BY 1, 2, 3`,
  );
}

function missingParked(
  snapshot: Snapshot,
  report: Report,
  program: VerifiedProgram,
  other: VerifiedProgram,
  merchant: number | null,
): Promise<void> {
  return missing(
    snapshot,
    report,
    program,
    "parked",
    `SELECT m.merchant_id AS merchant, b.order_id, b.part, b.off FROM ${other}.parked b
     LEFT JOIN ${program}.parked a ON a.merchant = b.merchant AND a.order_id = b.order_id AND a.part = b.part AND a.off = b.off
     JOIN merchant.merchant m ON m.id = b.merchant
     ${progressOf(program)} WHERE a.order_id IS NULL AND NOT EXISTS (SELECT FROM ${program}."order" o WHERE o.merchant = b.merchant AND o.order_id = b.order_id)
       AND ${readPast(program)}${ofMerchant(merchant)} ORDER BY 1, 2, 4`,
  );
}

interface DifferingRow {
  readonly merchant: string;
  readonly order_id: string;
  readonly tier_at: string;
  readonly cashback_at: string;
  readonly tier_bytes: string;
  readonly cashback_bytes: string;
}

/** One id, two records: fine only where one program refused what the other one counted. */
function differingOrders(snapshot: Snapshot, report: Report, merchant: number | null): Promise<void> {
  const refused = (program: VerifiedProgram, counted: string) =>
    `EXISTS (SELECT FROM ${program}.dead_letter d WHERE d.part = ${counted}.part AND d.off = ${counted}.off)`;
  return checkTable<DifferingRow>(snapshot, report, {
    program: "cashback",
    thing: "order",
    problem: "changed",
    query: `SELECT m.merchant_id AS merchant, b.order_id, b.part || ':' || b.off AS tier_at, c.part || ':' || c.off AS cashback_at,
        md5(b.payload) AS tier_bytes, md5(c.payload) AS cashback_bytes
      FROM tier."order" b JOIN cashback."order" c ON c.merchant = b.merchant AND c.order_id = b.order_id JOIN merchant.merchant m ON m.id = b.merchant
      WHERE ((b.part, b.off) = (c.part, c.off) AND (b.payload <> c.payload OR b.record_at <> c.record_at)
          OR (b.part, b.off) <> (c.part, c.off) AND NOT ${refused("tier", "c")} AND NOT ${refused("cashback", "b")})${ofMerchant(merchant)} ORDER BY 1, 2`,
    where: ({ merchant: merchantId, order_id }) => ({ merchant: merchantId, order: order_id }),
    expected: ({ tier_at, tier_bytes }) => ({ record: tier_at, md5: tier_bytes }),
    found: ({ cashback_at, cashback_bytes }) => ({ record: cashback_at, md5: cashback_bytes }),
    note: "the programs do not have the same event; expected is what tier has",
  });
}
