import { z } from "zod";

/** Every problem of the environment at once; the process must refuse to start. */
export class EnvironmentError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The environment is not usable:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
    this.name = "EnvironmentError";
    this.problems = problems;
  }
}

/** Parses the environment by a schema whose keys are the variables' names. Empty text counts as not given. */
export function parseEnvironment<S extends z.ZodObject>(schema: S, variables: Readonly<Record<string, string | undefined>>): z.infer<S> {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ""));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new EnvironmentError(parsed.error.issues.map((issue) => `${issue.path.join(".") || "environment"}: ${issue.message}`));
}

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback);

/** What every service reads. Defaults are those of .env.example. */
export const commonEnvironment = z.object({
  PERKS_MODE: z.enum(["development", "production"]).default("production"),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: "must be a postgres:// address" }),
  KAFKA_BROKERS: z
    .string({ error: "must be host:port, several separated by commas" })
    .transform((text) => text.split(",").map((broker) => broker.trim()))
    .pipe(z.array(z.string().regex(/^[^\s:]+:\d+$/, "must be host:port, several separated by commas")).min(1)),
  KAFKA_SSL: z.stringbool().default(false),
  KAFKA_SASL_MECHANISM: z.enum(["plain", "scram-sha-256", "scram-sha-512"]).optional(),
  KAFKA_SASL_USERNAME: z.string().optional(),
  KAFKA_SASL_PASSWORD: z.string().optional(),
  SCHEMA_REGISTRY_URL: z.url({ protocol: /^https?$/, error: "must be an http(s):// address" }),
});

export { port };
