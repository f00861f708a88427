import { crashEnvironment } from "@perkstream/program";
import { commonEnvironment, port } from "@perkstream/service";
import { z } from "zod";
import { defaultLimits, type Limits } from "./limits.ts";
import type { TokenSettings } from "./tokens.ts";

const minSecretBytes = 32;
/** What remains of the stop's deadline is for the steps after the drain. */
const maxDrainSeconds = 25;
export const stopDeadlineMs = 30_000;
const count = (fallback: number) => z.coerce.number().int().min(1).default(fallback);

const list = z
  .string()
  .default("")
  .transform((text) =>
    text
      .split(",")
      .map((one) => one.trim().replace(/\/$/, ""))
      .filter((one) => one !== ""),
  );

/** What the notifier reads from the environment; see .env.example. */
export const environment = commonEnvironment
  .extend({
    NOTIFIER_PORT: port(8081),
    MERCHANT_API_PORT: port(8080),
    /** The merchant API as a browser reaches it, for the customer page of development. */
    MERCHANT_API_URL: z.url({ protocol: /^https?$/, error: "must be an http(s):// address" }).optional(),
    PERKS_JWT_SECRET: z
      .string({ error: `is required: at least ${minSecretBytes} bytes` })
      .refine((secret) => Buffer.byteLength(secret) >= minSecretBytes, `must have at least ${minSecretBytes} bytes`),
    PERKS_JWKS_URL: z.url({ protocol: /^https?$/, error: "must be an http(s):// address" }).optional(),
    PERKS_JWT_ISSUER: z.string().optional(),
    PERKS_ALLOWED_ORIGINS: list,
    /** Whether this process also stores notifications; with `false` another one must. */
    PERKS_RUN_INBOX: z.stringbool().default(true),
    PERKS_RETENTION_DAYS: count(90),
    PERKS_DRAIN_SECONDS: z.coerce.number().min(0).max(maxDrainSeconds).default(3),
    PERKS_MAX_CONNECTIONS: count(defaultLimits.connections),
    PERKS_UPGRADES_PER_SECOND: count(defaultLimits.upgradesPerSecond),
    PERKS_MAX_DEVICES: count(defaultLimits.devices),
    PERKS_MAX_FRAME_BYTES: count(defaultLimits.frameBytes),
    PERKS_FRAMES_PER_SECOND: count(defaultLimits.framesPerSecond),
    PERKS_SEND_BUFFER_BYTES: count(defaultLimits.sendBufferBytes),
    ...crashEnvironment,
  })
  .refine((env) => env.PERKS_JWKS_URL === undefined || env.PERKS_JWT_ISSUER !== undefined, {
    path: ["PERKS_JWT_ISSUER"],
    error: "is required with PERKS_JWKS_URL",
    when: () => true, // also when other variables are wrong: every problem is told at once
  });

export type Environment = z.infer<typeof environment>;

export function limitsOf(env: Environment): Limits {
  return {
    ...defaultLimits,
    connections: env.PERKS_MAX_CONNECTIONS,
    upgradesPerSecond: env.PERKS_UPGRADES_PER_SECOND,
    devices: env.PERKS_MAX_DEVICES,
    frameBytes: env.PERKS_MAX_FRAME_BYTES,
    framesPerSecond: env.PERKS_FRAMES_PER_SECOND,
    sendBufferBytes: env.PERKS_SEND_BUFFER_BYTES,
  };
}

export function tokenSettingsOf(env: Environment): TokenSettings {
  const { PERKS_JWT_SECRET: secret, PERKS_JWKS_URL: url, PERKS_JWT_ISSUER: issuer } = env;
  return url === undefined || issuer === undefined ? { secret } : { secret, jwks: { url, issuer } };
}
