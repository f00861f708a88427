import { patientFetch } from "../patient-fetch.ts";

/** The merchant API as a client of others sees it: plain HTTP with a merchant's token. */
export interface Api {
  /** Rejects on anything but 2xx, with the answer's text. */
  call<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T>;
  /** PUT on what it now is: GET for its ETag, then PUT with If-Match. */
  replace(path: string, body: unknown): Promise<void>;
}

export interface Customer {
  customerId: string;
  tier: { id: string; name: string } | null;
  metric: number;
  nextTier: { id: string; name: string; missing: number } | null;
  cashback: { pendingMinor: number; availableMinor: number; balanceMinor: number; currency: string };
}

/** A merchant of one's own, made with the development bootstrap key, and the API with its owner's token. */
export async function makeMerchant(origin: string, merchant: object): Promise<{ merchantId: string; api: Api }> {
  const { merchantId } = await send<{ merchantId: string }>(origin, "POST", "/v1/merchants", merchant, {
    "x-api-key": "development",
  });
  const { token } = await send<{ token: string }>(origin, "POST", "/v1/dev/sign-in", { merchantId });
  const authorization = `Bearer ${token}`;
  return {
    merchantId,
    api: {
      call: (method, path, body, headers) => send(origin, method, path, body, { authorization, ...headers }),
      async replace(path, body) {
        const now = await fetch(origin + path, { headers: { authorization } });
        await now.text();
        await send(origin, "PUT", path, body, { authorization, "if-match": now.headers.get("etag") ?? "" });
      },
    },
  };
}

async function send<T>(origin: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const json = body === undefined ? {} : { "content-type": "application/json" };
  const init = { method, headers: { ...json, ...headers } };
  const answer = await patientFetch(origin + path, body === undefined ? init : { ...init, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return (text === "" ? null : JSON.parse(text)) as T;
}
