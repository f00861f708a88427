import * as fc from "fast-check";
import { oddText, oddValue } from "@perkstream/fuzz";
import type { Customer } from "@perkstream/inbox";
import { SignJWT, UnsecuredJWT } from "jose";
import { customerToken, merchantToken, secret } from "./rig.ts";

const key = new TextEncoder().encode(secret);

/** Tokens that hold, and those that do not for every reason there is. Made once: signing takes longer than all else of a case. */
export async function someTokens(customers: readonly Customer[]): Promise<{ good: string[]; bad: string[] }> {
  const now = Math.floor(Date.now() / 1_000);
  const good = await Promise.all(customers.map((customer) => customerToken(customer, { ttlSeconds: 900 })));
  const [customer] = customers;
  if (customer === undefined) throw new RangeError("no customer");
  const right = { merchant: customer.merchant, sub: customer.customerId, aud: "perkstream-customer", exp: now + 600 };
  const oddClaims = fc.oneof(
    fc.record({ merchant: oddValue, sub: oddValue, aud: oddValue, exp: oddValue }, { requiredKeys: [], noNullPrototype: true }),
    fc.constantFrom(
      { exp: 1e308 },
      { exp: -1 },
      { exp: 0 },
      { exp: now + 600.5 },
      { exp: now + 10_000 },
      { nbf: now + 500 },
      { aud: [] },
      { sub: "a\u0000b" },
      { sub: "\ud800" },
    ),
  );
  const sign = (claims: object, header: { alg: string }) => new SignJWT({ ...right, ...claims }).setProtectedHeader(header).sign(key);
  const claims = await Promise.all(
    fc.sample(oddClaims, { numRuns: 200, seed: 1 }).map((one) => sign(one, { alg: "HS256" }).catch(() => "x.y.z")),
  );
  const others = await Promise.all([
    sign({}, { alg: "HS384" }),
    sign({}, { alg: "HS512" }),
    customerToken(customer, { ttlSeconds: -5 }),
    customerToken(customer, { secret: "another secret, long enough for HS256 too" }),
    merchantToken(customer.merchant, "owner"),
  ]);
  const [first = ""] = good;
  const cut = [
    first.slice(0, -1),
    `${first}x`,
    first.replace(/\.[^.]*$/, "."),
    first.replace(".", ".."),
    "",
    "a.b.c",
    "x".repeat(5_000),
    "..",
  ];
  return { good, bad: [...claims, ...others, ...cut, new UnsecuredJWT(right).encode()] };
}

export interface OddUpgrade {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

const headerText = oddText.map((text) =>
  text
    .replaceAll(/[^\u0020-\u007e\u0080-\u00ff]/g, "?")
    .slice(0, 300)
    .trim(),
);
const mostly = <T>(right: T, odd: fc.Arbitrary<T>, weight = 20): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: odd });

export function oddUpgrades(good: readonly string[], tokens: fc.Arbitrary<string>): fc.Arbitrary<OddUpgrade> {
  const right = fc.constantFrom(...good).map((token) => `perks.v1, perks.auth.${token}`);
  const protocols = fc.oneof(
    { weight: 12, arbitrary: right },
    { weight: 3, arbitrary: tokens.map((token) => `perks.v1, perks.auth.${token.replaceAll(/[^\u0020-\u007e]/g, "?")}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "perks.v1",
        "perks.v2",
        "",
        ",,,",
        "perks.auth.x",
        "perks.v1,perks.v1,perks.auth.,perks.auth.y",
        `perks.v1${", x".repeat(2_000)}`,
      ),
    },
    { weight: 1, arbitrary: headerText },
  );
  const headers = fc.record(
    {
      "sec-websocket-protocol": protocols,
      "sec-websocket-key": mostly("dGhlIHNhbXBsZSBub25jZQ==", headerText),
      "sec-websocket-version": mostly("13", headerText),
      "sec-websocket-extensions": fc.oneof(fc.constant("permessage-deflate; client_max_window_bits"), headerText),
      upgrade: mostly("websocket", headerText),
      connection: mostly("Upgrade", headerText),
      origin: fc.oneof(fc.constantFrom("https://shop.example", "http://localhost:5173", "https://evil.example", "null"), headerText),
      host: mostly("127.0.0.1", headerText),
      "x-request-id": headerText,
      "content-length": fc.constantFrom("0", "-1", "x"),
      cookie: fc.constantFrom("a=b", "x".repeat(8_000), "x".repeat(20_000)),
    },
    {
      requiredKeys: ["sec-websocket-protocol", "sec-websocket-key", "sec-websocket-version", "upgrade", "connection", "host"],
      noNullPrototype: true,
    },
  );
  const usual = protocols.map((protocol): Record<string, string> => ({ "sec-websocket-protocol": protocol }));
  const text = headers.map((given): Record<string, string> =>
    Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => typeof entry[1] === "string")),
  );
  return fc.record({
    path: mostly(
      "/v1/connect",
      fc.constantFrom("/v1/connect?x=%", "/v1/connect/", "/v1//connect", "/", "*", "/v1/connect%00", `/${"x".repeat(9_000)}`),
      30,
    ),
    headers: fc.oneof({ weight: 3, arbitrary: usual }, { weight: 1, arbitrary: text }),
  });
}

/** Requests of the paths for merchants, and of others. */
export function oddAdmin(
  authorizations: readonly string[],
): fc.Arbitrary<{ method: string; path: string; headers: Record<string, string> }> {
  const segment = fc.oneof(
    oddText.map((id) => encodeURIComponent(id.toWellFormed()).slice(0, 2_000)),
    fc.constantFrom("ada", "%", "%zz", "%ff", "%ed%a0%80", "%00", "a%00b", "%2e%2e", "%F0%9F%98%80"),
  );
  const path = fc
    .tuple(fc.constantFrom("/v1/presence/", "/v1/disconnect/", "/v1/connect/", "/"), segment)
    .map(([folder, id]) => folder + id);
  const authorization = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...authorizations) }, { weight: 1, arbitrary: headerText });
  return fc.record({
    method: fc.constantFrom("GET", "GET", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"),
    path,
    headers: fc.record({ authorization }),
  });
}
