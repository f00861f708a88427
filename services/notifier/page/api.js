/*
 * The merchant API as this page uses it. In development the page signs itself in as the merchant, which a shop's own
 * server would do; what follows with the customer's token is what any shop's page would do.
 */

/** An answer that is not 2xx, or none at all (status 0). */
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function request(origin, method, path, token, body, headers = {}) {
  let response;
  try {
    response = await fetch(origin + path, {
      method,
      headers: {
        accept: "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
  } catch {
    throw new ApiError(0, "unreachable", `The merchant API at ${origin} cannot be reached.`);
  }
  const text = await response.text();
  const json = text === "" ? undefined : JSON.parse(text);
  if (response.ok) return json;
  const said = json?.detail ?? json?.title ?? response.statusText;
  throw new ApiError(response.status, json?.code ?? "unknown", `${said} (${response.status})`);
}

/** Calls with a token that is had once and had anew when it is refused. */
function caller(origin, getToken) {
  let token;
  async function call(method, path, body, headers) {
    token ??= getToken();
    try {
      return await request(origin, method, path, await token, body, headers);
    } catch (error) {
      if (error.status !== 401) {
        if (error.status === 0) token = undefined;
        throw error;
      }
      token = getToken();
      return request(origin, method, path, await token, body, headers);
    }
  }
  return call;
}

const segment = encodeURIComponent;

export function openMerchant(origin, merchantId) {
  const signIn = () => request(origin, "POST", "/v1/dev/sign-in", undefined, { merchantId }).then((a) => a.token);
  const call = caller(origin, signIn);
  return {
    merchant: () => call("GET", "/v1/merchant"),
    ladder: () => call("GET", "/v1/tiers"),
    customers: (limit) => call("GET", `/v1/customers?limit=${limit}`).then((page) => page.data),
    /** {token, expiresAt, url}: url is the notifier's. */
    customerToken: (customerId) => call("POST", `/v1/customers/${segment(customerId)}/tokens`, {}),
    order: (orderId) => call("GET", `/v1/orders/${segment(orderId)}`),
    placeOrder: (order) => call("POST", "/v1/orders", order, { "idempotency-key": order.orderId }),
    cancelOrder: (orderId, customerId) => call("POST", `/v1/orders/${segment(orderId)}/cancel`, { customerId }),
  };
}

export function openCustomer(origin, getToken) {
  const call = caller(origin, getToken);
  return {
    /** null before the customer's first order. */
    me: () =>
      call("GET", "/v1/me").catch((error) => {
        if (error.status === 404) return null;
        throw error;
      }),
    /** {data, nextCursor}, newest first; none before the first order. */
    notifications: (cursor) =>
      call("GET", `/v1/me/notifications?limit=30${cursor === null ? "" : `&cursor=${segment(cursor)}`}`).catch((error) => {
        if (error.status === 404) return { data: [], nextCursor: null };
        throw error;
      }),
  };
}
