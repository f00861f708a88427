import type { Difference, ProgramName, Report } from "./difference.ts";

/** A customer of a merchant: `merchant` is the surrogate id. */
export interface CustomerKey {
  readonly merchant: number;
  readonly merchantId: string;
  readonly customerId: string;
}

/** A difference of one customer; `where` is the place within what is the customer's. */
export type CustomerDifference = Omit<Difference, "program" | "where"> & { readonly where?: Difference["where"] };

/** Tells differences of one customer in one program. */
export type TellCustomer = (difference: CustomerDifference) => void;

export function tellOf(report: Report, program: ProgramName, { merchantId, customerId }: CustomerKey): TellCustomer {
  return (difference) =>
    report.difference({ ...difference, program, where: { merchant: merchantId, customer: customerId, ...difference.where } });
}
