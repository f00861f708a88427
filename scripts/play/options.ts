import { parseArgs } from "node:util";
import type { Through } from "./session.ts";

export const usage = `npm run play -- [options]
  --file vectors/vectors.json   stories of the format that its head explains
  --only V01,V02                these stories; default: all
  --at-once 16                  stories that are played at the same time, each with a merchant of its own
  --through kafka|api           events as records of orders.v1 (default), or by POST /v1/orders… what can be said there
  --verbose                     every difference of a story, not only its first
  --api <url>                   default: MERCHANT_API_URL, or the local stack
  --kafka <host:port>           default: KAFKA_BROKERS, or the local stack
  --registry <url>              default: SCHEMA_REGISTRY_URL, or the local stack`;

export interface PlayOptions {
  readonly file: string;
  readonly only: ReadonlySet<string> | null;
  readonly atOnce: number;
  readonly through: Through;
  readonly isVerbose: boolean;
  readonly api: string | undefined;
  readonly kafka: string | undefined;
  readonly registry: string | undefined;
}

/** The command line cannot be read; the message names the option. */
export class PlayOptionError extends Error {
  override readonly name = "PlayOptionError";
}

export function parsePlayOptions(args: readonly string[]): PlayOptions {
  const values = parse(args);
  const atOnce = Number(values["at-once"]);
  if (!Number.isInteger(atOnce) || atOnce < 1 || atOnce > 1_000)
    throw new PlayOptionError("--at-once must be a whole number from 1 to 1000");
  const { through } = values;
  if (through !== "kafka" && through !== "api") throw new PlayOptionError(`--through must be kafka or api, not "${through}"`);
  return {
    file: values.file,
    only: values.only === undefined ? null : new Set(values.only.split(",").map((id) => id.trim())),
    atOnce,
    through,
    isVerbose: values.verbose,
    api: values.api,
    kafka: values.kafka,
    registry: values.registry,
  };
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        file: { type: "string", default: "vectors/vectors.json" },
        only: { type: "string" },
        "at-once": { type: "string", default: "16" },
        through: { type: "string", default: "kafka" },
        verbose: { type: "boolean", default: false },
        api: { type: "string" },
        kafka: { type: "string" },
        registry: { type: "string" },
      },
    });
    return values;
  } catch (error) {
    throw new PlayOptionError(error instanceof Error ? error.message : String(error));
  }
}
