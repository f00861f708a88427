import { fixedRegistry } from "@perkstream/contracts";
import type { Difference } from "@perkstream/verify";
import { PrintedReport } from "../print.ts";
import { runVerify } from "../run.ts";
import type { VerifyBed } from "./bed.ts";

/** Verifies a bed's database: all differences, and what was checked. */
export async function verifyBed(bed: VerifyBed, merchantId: string | null = null) {
  const differences: Difference[] = [];
  const report = new PrintedReport(["tier", "cashback"], Number.MAX_SAFE_INTEGER, (difference) => differences.push(difference));
  await runVerify({ databaseUrl: bed.url, registry: fixedRegistry(), merchantId, report, onProgress: () => {} });
  return { differences, checked: report.counts };
}
