import { z } from "@hono/zod-openapi";
import { crashEnvironment } from "@perkstream/program";
import { commonEnvironment, port } from "@perkstream/service";

const MIN_SECRET_BYTES = 32;
const DEVELOPMENT_BOOTSTRAP_KEY = "development";

const list = z
  .string()
  .default("")
  .transform((text) =>
    text
      .split(",")
      .map((one) => one.trim().replace(/\/$/, ""))
      .filter((one) => one !== ""),
  );

/** What the merchant API reads from the environment; see .env.example. */
export const environment = commonEnvironment
  .extend({
    MERCHANT_API_PORT: port(8080),
    NOTIFIER_PORT: port(8081),
    /** The origin of customer tokens' url; default: the notifier's port on this machine. */
    NOTIFIER_URL: z.url({ protocol: /^wss?$/, error: "must be a ws(s):// address" }).optional(),
    PERKS_JWT_SECRET: z
      .string({ error: `is required: at least ${MIN_SECRET_BYTES} bytes` })
      .refine((secret) => Buffer.byteLength(secret) >= MIN_SECRET_BYTES, `must have at least ${MIN_SECRET_BYTES} bytes`),
    PERKS_JWKS_URL: z.url({ protocol: /^https?$/, error: "must be an http(s):// address" }).optional(),
    PERKS_JWT_ISSUER: z.string().optional(),
    PERKS_ALLOWED_ORIGINS: list,
    PERKS_BOOTSTRAP_KEY: z.string().optional(),
    ...crashEnvironment,
  })
  .refine((env) => env.PERKS_JWKS_URL === undefined || env.PERKS_JWT_ISSUER !== undefined, {
    path: ["PERKS_JWT_ISSUER"],
    error: "is required with PERKS_JWKS_URL",
    when: () => true, // also when other variables are wrong: every problem is told at once
  });

export type Environment = z.infer<typeof environment>;

/** Adds RS256 and ES256 merchant tokens of one issuer. */
export function jwksOf(env: Environment): { url: string; issuer: string } | null {
  const { PERKS_JWKS_URL: url, PERKS_JWT_ISSUER: issuer } = env;
  return url === undefined || issuer === undefined ? null : { url, issuer };
}

export function bootstrapKeyOf(env: Environment): string | null {
  return env.PERKS_BOOTSTRAP_KEY ?? (env.PERKS_MODE === "development" ? DEVELOPMENT_BOOTSTRAP_KEY : null);
}

/** `ws://host:port`, without a path. */
export function notifierOriginOf(env: Environment): string {
  return env.NOTIFIER_URL === undefined ? `ws://127.0.0.1:${env.NOTIFIER_PORT}` : new URL(env.NOTIFIER_URL).origin;
}
