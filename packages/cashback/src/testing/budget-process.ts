/** A process of its own that begins the change of a budget to shared, `node budget-process.ts <json>`, and ends itself before the commit. */
import { topics } from "@perkstream/contracts";
import { openSql } from "@perkstream/postgres";
import { withPartitions } from "@perkstream/program";
import { makeShared } from "../store/budget-edits.ts";

const { url, partitions, campaign, budgetMinor } = JSON.parse(process.argv[2] ?? "{}") as {
  url: string;
  partitions: number[];
  campaign: number;
  budgetMinor: number;
};

const sql = openSql(url, { max: 1, applicationName: "budget-process" });
await withPartitions(sql, { program: "cashback", topic: topics.orders, partitions }, async ({ tx }) => {
  await makeShared(tx, [{ campaign, budgetMinor: BigInt(budgetMinor) }]);
  const [row] = await tx<{ shared: boolean }[]>`SELECT shared FROM cashback.campaign_budget WHERE campaign = ${campaign}`;
  // Ends in another way when there was nothing to change, so that the test notices.
  if (row?.shared === true) process.kill(process.pid, "SIGKILL");
});
await sql.end();
