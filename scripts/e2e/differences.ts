import { connectRegistry } from "@perkstream/contracts";
import type { Stack } from "@perkstream/stack";
import { lineOf, PrintedReport } from "../verify/print.ts";
import { runVerify } from "../verify/run.ts";

/** What `npm run verify` finds: what the stored events and commands do not give. */
export async function differencesOf(stack: Stack): Promise<string[]> {
  const found: string[] = [];
  const report = new PrintedReport(["tier", "cashback"], 20, (difference) => found.push(lineOf(difference)));
  const registry = connectRegistry(stack.registryUrl);
  await runVerify({ databaseUrl: stack.postgresUrl, registry, merchantId: null, report, onProgress: () => {} });
  return found;
}
