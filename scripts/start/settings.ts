import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { portFrom } from "@perkstream/stack";
import type { ServiceEntry } from "./services.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const secretBytes = 32;
const defaultPartitions = 12;
const maxPartitions = 8_192;

/** What a local start needs to know, from the environment and the data folder. */
export interface StartSettings {
  readonly root: string;
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly isDevelopment: boolean;
  readonly partitions: number;
  /** By service name. */
  readonly ports: ReadonlyMap<string, number>;
  /** Signs tokens; kept in the data folder, so that they outlive a restart. */
  readonly jwtSecret: string;
}

/** Throws a RangeError whose message names the variable that is wrong. */
export async function readSettings(env: NodeJS.ProcessEnv, services: readonly ServiceEntry[]): Promise<StartSettings> {
  const dataDir = resolve(root, textOf(env, "PERKS_DATA_DIR") ?? ".perkstream");
  await mkdir(dataDir, { recursive: true });
  const mode = textOf(env, "PERKS_MODE") ?? "development";
  return {
    root,
    dataDir,
    env,
    isDevelopment: mode === "development",
    partitions: partitionsFrom(textOf(env, "PERKS_PARTITIONS")),
    ports: new Map(services.map(({ name, port }) => [name, portFrom(port, env)])),
    jwtSecret: textOf(env, "PERKS_JWT_SECRET") ?? (await storedSecret(join(dataDir, "jwt.secret"))),
  };
}

function partitionsFrom(text: string | undefined): number {
  const partitions = Number(text ?? defaultPartitions);
  if (Number.isInteger(partitions) && partitions >= 1 && partitions < maxPartitions) return partitions;
  throw new RangeError(`PERKS_PARTITIONS must be a whole number from 1 to ${maxPartitions - 1}, not "${text}".`);
}

async function storedSecret(file: string): Promise<string> {
  const stored = await readFile(file, "utf8").catch(() => "");
  if (stored !== "") return stored;
  const secret = randomBytes(secretBytes).toString("base64url");
  await writeFile(file, secret, { mode: 0o600 });
  return secret;
}

function textOf(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name];
  return value === undefined || value === "" ? undefined : value;
}
