import { type Incompatibility, incompatibilities, parseRecord, type RecordSchema, shortName } from "@perkstream/contracts/schema";
import { readSchemas, type SchemaFile } from "./folder.ts";
import type { RegistryApi } from "./registry-api.ts";
import { readReleased, type ReleasedVersion } from "./released.ts";

/** A rule of FULL_TRANSITIVE that a schema breaks. */
export interface Violation {
  readonly subject: string;
  readonly path: string;
  readonly rule: string;
  readonly message: string;
}

/** One line for people: subject, field, rule, and which side cannot read which. */
export function formatViolation({ subject, path, rule, message }: Violation): string {
  return `${subject}: ${path}: ${rule}: ${message}`;
}

/** Today's schemas against every released version of the repository, both ways, and that none has gone. */
export async function checkReleased(schemasRoot: string): Promise<Violation[]> {
  const files = await readSchemas(schemasRoot);
  const released = await readReleased(schemasRoot);
  const gone = released.filter((version) => !files.some((file) => isVersionOf(version, file)));
  return [
    ...files.flatMap((file) => {
      const versions = released.filter((version) => isVersionOf(version, file));
      return versions.flatMap(({ record, version }) => compareBothWays(file, record, `released version ${version}`));
    }),
    ...gone.map(({ family, name, version }): Violation => ({
      subject: `schemas/${family}`,
      path: name,
      rule: "SCHEMA_REMOVED",
      message: `version ${version} was released, and there is no schemas/${family}/${name}.avsc any more`,
    })),
  ];
}

/** Today's schemas against every version in a registry, and what the registry itself says. Throws RegistryApiError on an outage. */
export async function checkRegistry(schemasRoot: string, registry: RegistryApi): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const file of await readSchemas(schemasRoot)) violations.push(...(await checkSubject(file, registry)));
  return violations;
}

export async function checkSubject(file: SchemaFile, registry: RegistryApi): Promise<Violation[]> {
  const versions = await registry.versions(file.subject);
  const found: Violation[] = [];
  for (const version of versions) {
    const text = await registry.schemaText(file.subject, version);
    found.push(...compareBothWays(file, parseRecord(text), `registered version ${version}`));
  }
  // The registry's own checker has the last word, in case that it knows a rule that we do not.
  if (found.length === 0 && versions.length > 0 && !(await registry.isCompatible(file.subject, file.text))) {
    found.push({
      subject: file.subject,
      path: shortName(file.record.name),
      rule: "REGISTRY",
      message: "the registry calls it incompatible",
    });
  }
  return found;
}

/** FULL: today's schema reads what the other version wrote, and the other way round. */
export function compareBothWays(
  { subject, record }: Pick<SchemaFile, "subject" | "record">,
  other: RecordSchema,
  name: string,
): Violation[] {
  const violation =
    (side: string) =>
    ({ path, rule, message }: Incompatibility): Violation => ({ subject, path, rule, message: `${side}: ${message}` });
  return [
    ...incompatibilities(record, other).map(violation(`this schema cannot read records of ${name}`)),
    ...incompatibilities(other, record).map(violation(`${name} cannot read records of this schema`)),
  ];
}

function isVersionOf({ family, name }: ReleasedVersion, file: SchemaFile): boolean {
  return family === file.family && name === shortName(file.record.name);
}
