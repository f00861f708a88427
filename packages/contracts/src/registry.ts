import type { SchemaRegistry } from "@kafkajs/confluent-schema-registry";
import { schemas } from "./schemas.ts";

/** What encoders and decoders ask of a schema registry. */
export interface Registry {
  /** The JSON text of the schema with this id; null when the registry says that it has none. Throws RegistryError on an outage. */
  schemaOf(id: number): Promise<string | null>;
  /** The id that exactly this schema has in a subject. Throws RegistryError: on an outage, or because it is not registered. */
  idOf(subject: string, schema: string): Promise<number>;
}

/** The registry could not answer (`retryable`), or a schema has not been registered by `schemas register`. */
export class RegistryError extends Error {
  override readonly name = "RegistryError";
  readonly retryable: boolean;

  constructor(message: string, retryable: boolean, cause?: unknown) {
    super(message, { cause });
    this.retryable = retryable;
  }
}

export interface RegistryOptions {
  /** How long one request may take. */
  readonly timeoutMs?: number;
}

/** The address of a registry taken apart: fetch refuses credentials within a URL. */
export interface RegistryAddress {
  /** Without a slash at the end and without credentials. */
  readonly base: string;
  readonly auth?: { readonly username: string; readonly password: string };
  /** What requests must carry. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Throws a TypeError for text that is no URL. */
export function registryAddress(url: string): RegistryAddress {
  const parsed = new URL(url);
  const auth = { username: decodeURIComponent(parsed.username), password: decodeURIComponent(parsed.password) };
  parsed.username = "";
  parsed.password = "";
  const base = parsed.toString().replace(/\/+$/, "");
  if (auth.username === "") return { base, headers: {} };
  const credentials = Buffer.from(`${auth.username}:${auth.password}`).toString("base64");
  return { base, auth, headers: { authorization: `Basic ${credentials}` } };
}

/**
 * A registry with the Confluent API at `url`, e.g. `http://host:8085/apis/ccompat/v7`; credentials may stand in the URL.
 * Nothing is asked yet. Texts are fetched directly, since the client library hands out compiled types only.
 */
export function connectRegistry(url: string, { timeoutMs = 5_000 }: RegistryOptions = {}): Registry {
  const address = registryAddress(url);
  let client: Promise<SchemaRegistry> | undefined;
  return {
    schemaOf: (id) => fetchSchema(address, id, timeoutMs),
    idOf: async (subject, schema) => {
      client ??= openClient(address, timeoutMs);
      return lookUp(await client, subject, schema);
    },
  };
}

/** The library takes 0.4 s and 20 MB to load (validators of three kinds of schema): what only decodes goes without. */
async function openClient(address: RegistryAddress, timeoutMs: number): Promise<SchemaRegistry> {
  const { SchemaRegistry } = await import("@kafkajs/confluent-schema-registry");
  return new SchemaRegistry({
    host: address.base,
    clientId: "perkstream",
    retry: { retries: 2 },
    ...(address.auth && { auth: address.auth }),
    middlewares: [() => ({ prepareRequest: async (next) => (await next()).enhance({ timeout: timeoutMs }), response: (next) => next() })],
  });
}

async function lookUp(client: SchemaRegistry, subject: string, schema: string): Promise<number> {
  const { SchemaType } = await import("@kafkajs/confluent-schema-registry");
  try {
    return await client.getRegistryIdBySchema(subject, { type: SchemaType.AVRO, schema });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // The library wraps a 404 in this class and lets everything else through.
    if (error instanceof Error && error.name === "ConfluentSchemaRegistryError") {
      throw new RegistryError(`${subject}: this schema is not registered; run \`npm run schemas -- register\` (${message})`, false, error);
    }
    throw new RegistryError(`schema registry: ${message}`, true, error);
  }
}

async function fetchSchema(address: RegistryAddress, id: number, timeoutMs: number): Promise<string | null> {
  const url = `${address.base}/schemas/ids/${id}`;
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(url, { headers: address.headers, signal: AbortSignal.timeout(timeoutMs) });
    body = await response.json();
  } catch (error) {
    throw new RegistryError(`schema registry: ${url}: ${error instanceof Error ? error.message : String(error)}`, true, error);
  }
  if (response.status === 404) return null;
  if (!response.ok || typeof body !== "object" || body === null || !("schema" in body) || typeof body.schema !== "string") {
    throw new RegistryError(`schema registry: ${url}: status ${response.status}`, true);
  }
  // The API leaves the type out for Avro. Another kind of schema is no Avro text: the decoder says so.
  if ("schemaType" in body && typeof body.schemaType === "string" && body.schemaType !== "AVRO") return `"${body.schemaType}"`;
  return body.schema;
}

/**
 * A registry in memory that holds the schemas of this repository with fixed ids from 1 on, in the order of `schemas`, and
 * those of `extra` by their ids. For tests.
 */
export function fixedRegistry(extra: ReadonlyMap<number, string> = new Map()): Registry {
  const byId = new Map(schemas.map(({ schema }, index) => [index + 1, schema]));
  for (const [id, schema] of extra) byId.set(id, schema);
  return {
    schemaOf: async (id) => byId.get(id) ?? null,
    idOf: async (subject, schema) => {
      const index = schemas.findIndex((known) => known.subject === subject && known.schema === schema);
      if (index < 0) throw new RegistryError(`${subject}: this schema is not registered`, false);
      return index + 1;
    },
  };
}
