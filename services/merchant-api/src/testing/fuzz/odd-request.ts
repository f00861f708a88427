import * as fc from "fast-check";
import { oddText } from "@perkstream/fuzz";
import { type Components, type JsonSchema, valuesOf } from "./from-schema.ts";
import { bodies } from "./odd-body.ts";

/** A request as it goes over the line. */
export interface OddRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
  /** Sent in chunks without a length. */
  readonly chunked: boolean;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: JsonSchema;
}

interface DocumentedOperation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: { readonly "application/json": { readonly schema: JsonSchema } } };
}

/** What of an OpenAPI document is read. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
  readonly components: { readonly schemas: Components };
}

/** What requests may carry of what exists. */
export interface Known {
  /** UUIDs of things that are there. */
  readonly ids: readonly string[];
  /** Headers of credentials that hold; the first one's is the owner's. */
  readonly credentials: readonly Readonly<Record<string, string>>[];
}

/** Requests of every operation of the document, right ones and odd ones of every kind. */
export function oddRequests(document: ApiDocument, known: Known): fc.Arbitrary<OddRequest> {
  const all = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => requestsOf(method.toUpperCase(), path, operation, document, known)),
  );
  return fc.oneof(...all);
}

function requestsOf(
  method: string,
  path: string,
  operation: DocumentedOperation,
  document: ApiDocument,
  known: Known,
): fc.Arbitrary<OddRequest> {
  const { schemas } = document.components;
  const { parameters = [], requestBody } = operation;
  const values = requestBody === undefined ? fc.constant({}) : valuesOf(requestBody.content["application/json"].schema, schemas, known.ids);
  const named = (place: string) => parameters.filter((parameter) => parameter.in === place);
  const right = (parameter: Parameter) =>
    valuesOf(parameter.schema, schemas, known.ids).map((value) => encodeURIComponent(wellFormed(String(value))));
  const ids = fc.tuple(
    ...named("path").map((parameter) => fc.oneof({ weight: 3, arbitrary: right(parameter) }, { weight: 1, arbitrary: oddPart })),
  );
  const query = fc.record(
    Object.fromEntries(named("query").map((parameter) => [parameter.name, fc.oneof(right(parameter), oddPart, cursor)])),
    { requiredKeys: [], noNullPrototype: true },
  );
  return fc.record({
    method: fc.oneof({ weight: 60, arbitrary: fc.constant(method) }, { weight: 1, arbitrary: fc.constantFrom(...otherMethods) }),
    path: fc.tuple(ids, query, fc.nat({ max: 40 })).map(([parts, given, rare]) => addressOf(path, parts, given, rare)),
    headers: headers(known, path === "/v1/merchants"),
    body: requestBody === undefined ? fc.option(bodies(values), { freq: 20 }).map((body) => body) : fc.option(bodies(values), { freq: 30 }),
    chunked: fc.boolean(),
  });
}

const otherMethods = ["HEAD", "OPTIONS", "PROPFIND", "PUT", "PATCH", "DELETE", "GET", "POST", "TRACE"];
const wellFormed = (text: string): string => text.toWellFormed();

/** Percent encodings that decode, to odd text, and that do not; and characters that no address holds. */
const oddPart: fc.Arbitrary<string> = fc.oneof(
  oddText.map((text) => encodeURIComponent(wellFormed(text)).slice(0, 3_000)),
  fc.constantFrom(
    "%",
    "%zz",
    "%ff",
    "%c0%80",
    "%ed%a0%80",
    "%00",
    "%2f",
    "%2e%2e",
    "..",
    "%25",
    "a%2",
    "\u00fc",
    "\u00ff\u00fe",
    "a;b",
    "a b".replace(" ", "+"),
  ),
);
const cursor = fc
  .oneof(fc.jsonValue({ maxDepth: 2 }), fc.tuple(fc.nat(), fc.uuid()), fc.constant("\u0000"))
  .map((value) => Buffer.from(JSON.stringify(value)).toString("base64url"));

function addressOf(template: string, parts: readonly string[], query: Readonly<Record<string, string | undefined>>, rare: number): string {
  let at = 0;
  const path = template.replaceAll(/\{\w+\}/g, () => parts[at++] ?? "");
  const text = Object.entries(query).map(([name, value]) => `${name}=${value}`);
  if (rare === 0) text.push("%", "=&&=", "limit=1&limit=2");
  const odd = rare === 1 ? "/" : rare === 2 ? `//..${path}` : "";
  return `${rare === 2 ? odd : path + odd}${text.length === 0 ? "" : `?${text.join("&")}`}`;
}

const headerText = oddText.map((text) =>
  text
    .replaceAll(/[^\t\u0020-\u007e\u0080-\u00ff]/g, "?")
    .slice(0, 400)
    .trim(),
);
const oddTokens = ["Bearer", "Bearer ", "Bearer a.b.c", "bearer eyJhbGciOiJub25lIn0.e30.", "Basic YTpi", `Bearer ${"a".repeat(4_000)}.b.c`];

function headers(known: Known, asBootstrap: boolean): fc.Arbitrary<Record<string, string>> {
  const [owner = {}] = known.credentials;
  const credentials: fc.Arbitrary<Readonly<Record<string, string>>> = fc.oneof(
    { weight: 12, arbitrary: fc.constant(asBootstrap ? { "x-api-key": "development" } : owner) },
    { weight: 3, arbitrary: fc.constantFrom(...known.credentials) },
    { weight: 1, arbitrary: fc.oneof(headerText, fc.constantFrom(...oddTokens)).map((authorization) => ({ authorization })) },
    { weight: 1, arbitrary: headerText.map((key) => ({ "x-api-key": key })) },
  );
  const some = (right: readonly string[], oddWeight = 1) =>
    fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...right) }, { weight: oddWeight, arbitrary: headerText });
  const more = fc.record(
    {
      "if-match": some(["*", "*", "*", '"0"', '"1"', 'W/"1"', '"1", "2"', "0"]),
      "idempotency-key": some(["key-1", "key-2", "key-3", "k".repeat(255), "k".repeat(256)]),
      "perks-now": some(["2025-06-01T00:00:00Z", "2025-01-31T12:00:00+01:00", "1969-12-31T00:00:00Z", "2200-01-01T00:00:00Z"]),
      "x-request-id": some(["r-1", "x".repeat(128)]),
      accept: some(["*/*", "text/html", "application/xml"]),
      origin: some(["http://localhost:3000", "https://evil.example", "null"]),
      "content-encoding": some(["gzip", "identity"]),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  const type = fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom("application/json", "application/json; charset=utf-8", "application/merge-patch+json") },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json; charset=utf-16",
      ),
    },
    { weight: 1, arbitrary: headerText },
  );
  return fc.tuple(credentials, more, type).map(([who, others, contentType]) => ({ ...others, ...who, "content-type": contentType }));
}
