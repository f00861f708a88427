/** `npm test`: everything. The static checks, then unit, integration and end-to-end tests; the last line is `N passed, N failed`. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, runStaticSteps, runStep } from "./checks/steps.ts";

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly { readonly name: string; readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

const reportFile = join(root, ".perkstream", "checks", "vitest.json");

function readReport(): { passed: number; failed: number; skipped: number } {
  if (!existsSync(reportFile)) return { passed: 0, failed: 1, skipped: 0 };
  const report = JSON.parse(readFileSync(reportFile, "utf8")) as VitestReport;
  // A file that fails before its first test (an import, a hook) counts as one failure.
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** What cannot run on this machine, by name; it counts neither as passed nor as failed. */
function leftOut(): string[] {
  return [
    "Docker: the stack in containers (PERKS_STACK=docker) and docker-compose.yml; run `npm test` with PERKS_TEST_DOCKER=1 where a Docker engine answers",
  ];
}

const checks = await runStaticSteps();
rmSync(reportFile, { force: true });
const vitest = await runStep(
  {
    name: "tests",
    command: [
      join(root, "node_modules", ".bin", "vitest"),
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${reportFile}`,
      ...process.argv.slice(2),
    ],
  },
  (text) => process.stdout.write(text),
);
const tests = readReport();
const failed = checks.failed + tests.failed + (!vitest.passed && tests.failed === 0 ? 1 : 0);
if (tests.skipped > 0) console.log(`${tests.skipped} tests were skipped; see above`);
for (const reason of leftOut()) console.log(`not run here: ${reason}`);
console.log(`tests took ${(vitest.durationMs / 1_000).toFixed(0)} s`);
console.log(`${checks.passed + tests.passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
