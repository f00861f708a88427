import { checkTable, type Report, type Snapshot } from "@perkstream/verify";
import { PROGRAM } from "../changes.ts";

/** Customers of an older ladder whom no sweep will look at. */
export async function verifyEdits(snapshot: Snapshot, report: Report): Promise<void> {
  await checkTable<{ merchant: string; customer_id: string; ladder_version: number; newest: number }>(snapshot, report, {
    program: PROGRAM,
    thing: "edit",
    problem: "hidden",
    query: `SELECT m.merchant_id AS merchant, a.customer_id, a.ladder_version, l.newest FROM tier.account a
      JOIN (SELECT merchant, max(version) AS newest FROM tier.ladder_version GROUP BY 1) l USING (merchant) JOIN merchant.merchant m ON m.id = a.merchant
      WHERE a.known AND a.ladder_version < l.newest
        AND NOT EXISTS (SELECT FROM tier.edit_pending e WHERE e.part = a.part AND e.merchant = a.merchant AND e.after_acct < a.acct) ORDER BY 1, 2`,
    where: ({ merchant, customer_id }) => ({ merchant, customer: customer_id }),
    expected: ({ newest }) => ({ ladder: newest }),
    found: ({ ladder_version }) => ({ ladder: ladder_version }),
    note: "no sweep is left that would evaluate this customer with the newest ladder",
  });
}
