// npm run schemas -- check | register | generate [--check] | release
import { SchemaError } from "@perkstream/contracts/schema";
import { checkRegistry, checkReleased, formatViolation } from "./schemas/check.ts";
import { generatedTargets, staleFiles, writeGenerated } from "./schemas/generate.ts";
import { IncompatibleSchemaError, registerSchemas, schemasFolder } from "./schemas/register.ts";
import { openRegistryApi, RegistryApiError } from "./schemas/registry-api.ts";
import { release } from "./schemas/released.ts";

const registryUrl = process.env["SCHEMA_REGISTRY_URL"];
const postgresUrl = process.env["DATABASE_URL"];

const usage = `npm run schemas -- <command>
  check               schemas/ against the released versions of the repository, and against SCHEMA_REGISTRY_URL if it answers
  register            registers schemas/ at SCHEMA_REGISTRY_URL, under a lock in DATABASE_URL when that is set
  generate [--check]  writes packages/{contracts,client}/src/generated; with --check only tells what is out of date
  release             adds today's schemas to schemas/released`;

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SchemaError || error instanceof IncompatibleSchemaError || error instanceof RegistryApiError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

/** The exit code. */
async function run([command, ...options]: readonly string[]): Promise<number> {
  switch (command) {
    case "check":
      return check();
    case "register":
      return register();
    case "generate":
      return options.includes("--check") ? checkGenerated() : generate();
    case "release": {
      const written = await release(schemasFolder);
      console.log(written.length === 0 ? "Every schema is released already." : written.map((path) => `wrote schemas/${path}`).join("\n"));
      return 0;
    }
    default:
      console.error(usage);
      return 2;
  }
}

async function check(): Promise<number> {
  const violations = await checkReleased(schemasFolder);
  let where = "with the released versions";
  if (registryUrl !== undefined) {
    const registry = openRegistryApi(registryUrl);
    if (await registry.answers()) {
      violations.push(...(await checkRegistry(schemasFolder, registry)));
      where += " and the registry";
    } else {
      console.error("SCHEMA_REGISTRY_URL does not answer: checked without it.");
    }
  }
  for (const violation of violations) console.error(formatViolation(violation));
  if (violations.length === 0) console.log(`Schemas are compatible ${where} (FULL_TRANSITIVE).`);
  return violations.length === 0 ? 0 : 1;
}

async function register(): Promise<number> {
  if (registryUrl === undefined) {
    console.error("SCHEMA_REGISTRY_URL is not set: the address of the registry's Confluent API, as http://host:8085/apis/ccompat/v7.");
    return 2;
  }
  const registered = await registerSchemas({ registryUrl, ...(postgresUrl !== undefined && { postgresUrl }) });
  for (const { subject, id } of registered) console.log(`${subject}  id ${id}`);
  return 0;
}

async function generate(): Promise<number> {
  const written: string[] = [];
  for (const { folder, files } of await generatedTargets(schemasFolder)) written.push(...(await writeGenerated(files, folder)));
  console.log(written.length === 0 ? "Generated files are up to date." : written.map((name) => `wrote ${name}`).join("\n"));
  return 0;
}

async function checkGenerated(): Promise<number> {
  const stale: string[] = [];
  for (const { folder, files } of await generatedTargets(schemasFolder)) stale.push(...(await staleFiles(files, folder)));
  if (stale.length === 0) {
    console.log("Generated files are up to date.");
    return 0;
  }
  console.error(`Out of date: ${stale.join(", ")}; run \`npm run schemas -- generate\`.`);
  return 1;
}
