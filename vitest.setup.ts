import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStack } from "./packages/stack/src/index.ts";
import type { TestProject } from "vitest/node";

/**
 * Starts one throw-away stack (free ports, a temporary folder, jars from the shared cache) when the run has a test that needs it.
 * Tests make databases, topics and subjects of their own in it. PERKS_TEST_STACK=0 leaves it out; addresses in DATABASE_URL,
 * KAFKA_BROKERS and SCHEMA_REGISTRY_URL are used as they are.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (process.env["PERKS_TEST_STACK"] === "0" || !(await hasStackTests(project))) return undefined;
  const dataDir = await mkdtemp(join(tmpdir(), "perkstream-test-"));
  const remove = () => rm(dataDir, { recursive: true, force: true });
  try {
    const { stop, ...addresses } = await startStack({
      dataDir,
      env: process.env,
      ephemeral: true,
      onProgress: ({ part, text, done }) => {
        if (!done) console.error(`${part}: ${text}`);
      },
      onCrash: (error) => console.error(error.message),
    });
    project.provide("stack", addresses);
    return async () => {
      await stop();
      await remove();
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function hasStackTests(project: TestProject): Promise<boolean> {
  const { testFiles } = await project.globTestFiles(fileFilters());
  return testFiles.some((file) => /\.(int|e2e)\.test\.ts$/.test(file));
}

// The file names given to `vitest run`, or none for all. A value after an option may be the option's own (`-t name`): such a one is
// left out, so that at worst a stack starts that nobody asks.
function fileFilters(): string[] {
  const values = process.argv.slice(2);
  const isCommand = (value: string, index: number) => index === 0 && ["run", "watch", "related"].includes(value);
  return values.filter((value, index) => !value.startsWith("-") && !isCommand(value, index) && !(values[index - 1] ?? "").startsWith("-"));
}
