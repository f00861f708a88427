import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isBrokerReady } from "../embedded/kafka.ts";
import { answersQueries } from "../embedded/postgres.ts";
import { isRegistryReady } from "../embedded/registry.ts";
import { isPortOpen } from "../ports.ts";
import { startStack } from "../stack.ts";

const plainEnv = { ...process.env, DATABASE_URL: "", KAFKA_BROKERS: "", SCHEMA_REGISTRY_URL: "" };

test("a Docker engine that does not answer is one sentence", async () => {
  const env = { ...plainEnv, DOCKER_HOST: "tcp://127.0.0.1:1", PERKS_STACK: "docker" };
  await expect(startStack({ dataDir: tmpdir(), env, ephemeral: true })).rejects.toMatchObject({
    code: "docker_failed",
    message: "PERKS_STACK is docker, but no Docker engine answers: start it, or remove PERKS_STACK.",
  });
});

test.runIf(process.env["PERKS_TEST_DOCKER"] === "1")(
  "three containers serve a run and are gone after it",
  { timeout: 600_000 },
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "perkstream-docker-"));
    const stack = await startStack({ dataDir, env: { ...plainEnv, PERKS_STACK: "docker" }, ephemeral: true });
    expect(await answersQueries(stack.postgresUrl)).toBe(true);
    expect(await isBrokerReady(stack.kafkaBrokers)).toBe(true);
    expect(await isRegistryReady(stack.registryUrl)).toBe(true);
    await stack.stop();
    expect(await isPortOpen(stack.kafkaBrokers)).toBe(false);
    await rm(dataDir, { recursive: true, force: true });
  },
);
