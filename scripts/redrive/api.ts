import { z } from "zod";
import { askPatiently } from "../patient-fetch.ts";

const timeoutMs = 60_000;
const pageSize = 200;
const patience = { attempts: 10, longestPauseMs: 5_000 };

const letter = z.object({
  id: z.string(),
  program: z.string(),
  reason: z.string(),
  message: z.string(),
  partition: z.int(),
  offset: z.int(),
  createdAt: z.string(),
  redrivenAt: z.string().nullable(),
});
const page = z.object({ data: z.array(letter), nextCursor: z.string().nullable() });

const place = z.object({ partition: z.int(), offset: z.int() });

export type Letter = z.infer<typeof letter>;
/** Of an event in orders.v1. */
export type Place = z.infer<typeof place>;

/** The merchant API did not answer, or refused. */
export class ApiError extends Error {
  override readonly name = "ApiError";
}

export interface DeadLetters {
  /** Newest first, a page at a time. */
  list(filter: { readonly program: string | null; readonly reason: string | null }): AsyncIterable<readonly Letter[]>;
  /** @throws ApiError when it is refused, or the API is away for too long */
  redrive(id: string): Promise<Place>;
}

interface Access {
  readonly api: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Those of no known merchant. */
  readonly ofNobody: boolean;
}

/** Signs in as the owner of a merchant, where the API allows that without credentials. */
export async function signIn(api: string, merchantId: string | null): Promise<Readonly<Record<string, string>>> {
  const answer = await send(`${api}/v1/dev/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(merchantId === null ? {} : { merchantId }),
  });
  if (answer.status !== 200) {
    throw new ApiError(`Give a merchant's API key in PERKS_API_KEY; signing in without one was answered ${answer.status} ${answer.text}`);
  }
  return { authorization: `Bearer ${z.object({ token: z.string() }).parse(JSON.parse(answer.text)).token}` };
}

export function openDeadLetters({ api, headers, ofNobody }: Access): DeadLetters {
  const ask = async (method: string, path: string, expected: number): Promise<string> => {
    const { status, text } = await send(api + path, { method, headers });
    if (status !== expected) throw new ApiError(`${method} ${path}: ${status} ${text.slice(0, 500)}`);
    return text;
  };
  return {
    async *list({ program, reason }) {
      const query = new URLSearchParams({ limit: String(pageSize), ...(ofNobody && { merchant: "none" }) });
      if (program !== null) query.set("program", program);
      if (reason !== null) query.set("reason", reason);
      for (let cursor: string | null = ""; cursor !== null;) {
        if (cursor !== "") query.set("cursor", cursor);
        const { data, nextCursor }: z.infer<typeof page> = page.parse(
          JSON.parse(await ask("GET", `/v1/dead-letters?${query.toString()}`, 200)),
        );
        yield data;
        cursor = nextCursor;
      }
    },
    redrive: async (id) => place.parse(JSON.parse(await ask("POST", `/v1/dead-letters/${encodeURIComponent(id)}/redrive`, 202))),
  };
}

async function send(url: string, init: RequestInit): Promise<{ status: number; text: string }> {
  const response = await askPatiently(() => fetchOnce(url, init), patience);
  return { status: response.status, text: await response.text() };
}

async function fetchOnce(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
    throw new ApiError(
      `The merchant API at ${new URL(url).origin} does not answer${cause}. Start the product with \`npm run up\`, or set MERCHANT_API_URL.`,
      {
        cause: error,
      },
    );
  }
}
