import { COMPATIBILITY, SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import { registryAddress } from "@perkstream/contracts";

const timeoutMs = 10_000;
/** A registry that has just started on a busy machine answers some of many questions at once with a 500: each may be asked again. */
const attempts = 4;
const firstPauseMs = 250;

/** The registry could not be asked, or refused; `status` is null when it did not answer. */
export class RegistryApiError extends Error {
  override readonly name = "RegistryApiError";
  readonly status: number | null;

  constructor(message: string, status: number | null, cause?: unknown) {
    super(message, { cause });
    this.status = status;
  }
}

/** What a deployment does with a registry that speaks the Confluent API; services only ever read ids and schemas. */
export interface RegistryApi {
  /** True when it answers within 10 s. */
  answers(): Promise<boolean>;
  /** The subject's versions, oldest first; none when it does not exist. */
  versions(subject: string): Promise<number[]>;
  schemaText(subject: string, version: number): Promise<string>;
  isCompatible(subject: string, schema: string): Promise<boolean>;
  /** The id of exactly this text, if it is registered and the subject's level is FULL_TRANSITIVE; else null. */
  settledId(subject: string, schema: string): Promise<number | null>;
  /** FULL_TRANSITIVE for every subject without a level of its own. */
  setGlobalLevel(): Promise<void>;
  /** Sets the subject's own level, registers exactly this text and makes sure of the level; the schema's id. */
  register(subject: string, schema: string): Promise<number>;
}

/** `url` is the base of the API, as `http://host:8085/apis/ccompat/v7`; credentials may stand in it. */
export function openRegistryApi(url: string): RegistryApi {
  const api = new HttpApi(url);
  return {
    answers: async () => {
      try {
        await api.ask("GET", "/subjects");
        return true;
      } catch (error) {
        if (error instanceof RegistryApiError) return false;
        throw error;
      }
    },
    versions: async (subject) => {
      const answer = await api.call("GET", `/subjects/${encodeURIComponent(subject)}/versions`, { absent: [] });
      return Array.isArray(answer) ? answer.filter((version) => typeof version === "number").sort((a, b) => a - b) : [];
    },
    schemaText: async (subject, version) => {
      const answer = await api.call("GET", `/subjects/${encodeURIComponent(subject)}/versions/${version}`);
      return String(member(answer, "schema"));
    },
    isCompatible: async (subject, schema) => {
      const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions/latest`;
      return member(await api.call("POST", path, { body: { schema } }), "is_compatible") === true;
    },
    settledId: async (subject, schema) => {
      const name = encodeURIComponent(subject);
      const [found, level] = await Promise.all([
        api.call("POST", `/subjects/${name}`, { body: { schema }, absent: null }),
        api.call("GET", `/config/${name}`, { absent: null }),
      ]);
      const id = member(found, "id");
      return typeof id === "number" && member(level, "compatibilityLevel") === COMPATIBILITY.FULL_TRANSITIVE ? id : null;
    },
    setGlobalLevel: async () => {
      await api.call("PUT", "/config", { body: { compatibility: COMPATIBILITY.FULL_TRANSITIVE } });
    },
    register: (subject, schema) => register(api, subject, schema),
  };
}

/**
 * The level is set before the first version, so that there is no moment without it, and read again after: a registry may
 * forget the level of a subject that had no version yet.
 */
async function register(api: HttpApi, subject: string, schema: string): Promise<number> {
  const level = `/config/${encodeURIComponent(subject)}`;
  const body = { compatibility: COMPATIBILITY.FULL_TRANSITIVE };
  await api.call("PUT", level, { body });
  const { id } = await api.client
    .register({ type: SchemaType.AVRO, schema }, { subject, compatibility: COMPATIBILITY.FULL_TRANSITIVE })
    .catch((error: unknown) => {
      const status =
        typeof error === "object" && error !== null && "status" in error && typeof error.status === "number" ? error.status : null;
      throw new RegistryApiError(`${subject}: ${error instanceof Error ? error.message : String(error)}`, status, error);
    });
  await api.call("PUT", level, { body });
  const now = member(await api.call("GET", level), "compatibilityLevel");
  if (now !== COMPATIBILITY.FULL_TRANSITIVE) throw new RegistryApiError(`${subject}: its compatibility level stays ${String(now)}`, null);
  return id;
}

/** Of two that set a level for the first time at once, a registry may refuse one (409 to a PUT): the next attempt finds it set. */
function mayPass(method: string, status: number | null): boolean {
  return status === null || status >= 500 || (status === 409 && method === "PUT");
}

class HttpApi {
  readonly client: SchemaRegistry;
  private readonly base: string;
  private readonly headers: Record<string, string>;

  constructor(url: string) {
    const { base, auth, headers } = registryAddress(url);
    this.base = base;
    this.headers = { ...headers, "content-type": "application/vnd.schemaregistry.v1+json" };
    this.client = new SchemaRegistry({ host: base, clientId: "perkstream-schemas", retry: { retries: 2 }, ...(auth && { auth }) });
  }

  /** `ask`, some times if need be: nothing that is sent this way does harm when it is done twice. */
  async call(method: string, path: string, options: { body?: object; absent?: unknown } = {}): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.ask(method, path, options);
      } catch (error) {
        if (!(error instanceof RegistryApiError && mayPass(method, error.status)) || attempt === attempts) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, firstPauseMs * 2 ** (attempt - 1)));
    }
  }

  /** `absent` is the answer for a 404; without it a 404 is an error too. */
  async ask(method: string, path: string, { body, absent }: { body?: object; absent?: unknown } = {}): Promise<unknown> {
    const url = `${this.base}${path}`;
    const request = { method, headers: this.headers, signal: AbortSignal.timeout(timeoutMs), ...(body && { body: JSON.stringify(body) }) };
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(url, request);
      answer = await response.json();
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
      throw new RegistryApiError(`${method} ${url}: ${error instanceof Error ? error.message : String(error)}${cause}`, null, error);
    }
    if (response.ok) return answer;
    if (response.status === 404 && absent !== undefined) return absent;
    throw new RegistryApiError(`${method} ${url}: ${response.status} ${String(member(answer, "message"))}`, response.status);
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;
}
