// npm run check-import: imports a retail file into a running product and compares all that it then shows with the reference model.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { checkImport, type ImportedRetail } from "./check-import/check.ts";
import { readRows } from "./import/rows.ts";
import { RetailImport } from "./import/retail-events.ts";
import { explain } from "./produce/fail.ts";
import { openProgressLine } from "./produce/progress-line.ts";

const usage = `npm run check-import -- <csv[.gz]>   with the product running (npm run up)`;
const shown = 20;

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}

async function main([file, ...more]: readonly string[]): Promise<void> {
  if (file === undefined || more.length > 0) {
    console.error(usage);
    process.exitCode = 2;
    return;
  }
  const line = openProgressLine(process.stderr);
  const retail = new RetailImport("");
  for await (const row of readRows(file)) retail.add(row);
  const { merchantId, differences, figures } = await checkImport({
    api: process.env["MERCHANT_API_URL"] ?? `http://127.0.0.1:${process.env["MERCHANT_API_PORT"] ?? "8080"}`,
    bootstrapKey: process.env["PERKS_BOOTSTRAP_KEY"] ?? "development",
    events: retail.events().events,
    runImport: (merchant) => runImport(file, merchant),
    say: (text) => line.show(text),
  });
  line.end();
  for (const { path, expected, got } of differences.slice(0, shown))
    console.log(`${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
  console.log(JSON.stringify({ merchantId, ...figures, differences: differences.length }));
  if (differences.length > 0) process.exitCode = 1;
}

/** As a user does it: the command, whose last line tells what it sent. */
async function runImport(file: string, merchantId: string): Promise<ImportedRetail> {
  const script = fileURLToPath(new URL("import-online-retail.ts", import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, script, file, "--merchant", merchantId], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`the import ended with ${String(code)}`);
  return JSON.parse(output.trim().split("\n").at(-1) ?? "") as ImportedRetail;
}
