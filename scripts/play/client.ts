import { patientFetch } from "../patient-fetch.ts";

/** An answer other than the one that the texts promise for this request. */
export class AnswerError extends Error {
  override readonly name = "AnswerError";
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON of the body; null when there is none. */
  readonly body: unknown;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The clock of the request (Perks-Now). */
  readonly now?: string;
}

const timeoutMs = 150_000;

/** The merchant API with one credential. */
export class Client {
  private readonly origin: string;
  private readonly credential: Readonly<Record<string, string>>;

  constructor(origin: string, credential: Readonly<Record<string, string>>) {
    this.origin = origin.replace(/\/+$/, "");
    this.credential = credential;
  }

  async send(method: string, path: string, { body, headers, now }: CallOptions = {}): Promise<Answer> {
    const response = await patientFetch(this.origin + path, {
      method,
      headers: {
        ...this.credential,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(now !== undefined && { "perks-now": now }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === "" ? null : JSON.parse(text) };
  }

  /** The body of an answer with one of these statuses. Throws AnswerError on any other. */
  async call<T>(method: string, path: string, expected: readonly number[], options: CallOptions = {}): Promise<T> {
    const { status, body } = await this.send(method, path, options);
    if (!expected.includes(status)) throw new AnswerError(`${method} ${path}: ${status} ${JSON.stringify(body)}`);
    return body as T;
  }

  /** Null for 404. */
  async find<T>(path: string, now: string): Promise<T | null> {
    const { status, body } = await this.send("GET", path, { now });
    if (status === 200) return body as T;
    const { code } = (body ?? {}) as { code?: string };
    if (status === 404 && code === "not_found") return null;
    throw new AnswerError(`GET ${path}: ${status} ${JSON.stringify(body)}`);
  }

  /** All pages of a list; null for 404. Throws AnswerError when pages do not end. */
  async list<T>(path: string, now: string, maxPages = 100): Promise<T[] | null> {
    const rows: T[] = [];
    const joint = path.includes("?") ? "&" : "?";
    let cursor: string | null = null;
    for (let page = 0; page < maxPages; page += 1) {
      const at: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const answer: Page<T> | null = await this.find<Page<T>>(`${path}${joint}limit=200${at}`, now);
      if (answer === null) return null;
      rows.push(...answer.data);
      cursor = answer.nextCursor;
      if (cursor === null) return rows;
    }
    return rows;
  }
}

interface Page<T> {
  readonly data: readonly T[];
  readonly nextCursor: string | null;
}
