import { expect, test } from "vitest";
import { createApp } from "../app.ts";
import { operations } from "../operations/index.ts";
import { testDeps } from "../testing/deps.ts";

const get = async (path: string) => createApp(await testDeps()).request(path, { headers: { host: "localhost" } });

test("the document has every operation, and an answer for every error that it can give", async () => {
  const document = (await (await get("/openapi.json")).json()) as {
    paths: Record<string, Record<string, { responses: Record<string, unknown>; operationId: string }>>;
  };
  const listed = Object.entries(document.paths).flatMap(([path, item]) => Object.keys(item).map((method) => `${method} ${path}`));
  expect(listed.toSorted()).toEqual(operations.map(({ method, path }) => `${method} ${path}`).toSorted());
  const all = Object.values(document.paths).flatMap((item) => Object.values(item));
  for (const { responses } of all) expect(Object.keys(responses)).toEqual(expect.arrayContaining(["400", "429", "500", "503"]));
  expect(new Set(all.map(({ operationId }) => operationId)).size).toBe(all.length);
});

test("amounts are documented as integers", async () => {
  const text = await (await get("/openapi.json")).text();
  expect(text).not.toMatch(/"type":"(?:bigint|null)","format"/);
  expect(text).toContain('"format":"int64"');
});

test("the reference page loads nothing from anywhere", async () => {
  const response = await get("/docs");
  const html = await response.text();
  expect(response.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
  expect(html).not.toMatch(/<script|<link|<img|@import|url\(|https?:\/\//i);
  const addresses = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address);
  expect(addresses.every((address) => address?.startsWith("#") || address === "/openapi.json")).toBe(true);
  for (const { path } of operations) expect(html).toContain(path);
});

test("every link of the page has a target", async () => {
  const html = await (await get("/docs")).text();
  const ids = new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
  for (const [, target] of html.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
});
