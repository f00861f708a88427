import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { bundleClient } from "./testing/bundle.ts";

it("is below 5 KB when minified and gzipped", async () => {
  const size = gzipSync(await bundleClient({ minify: true })).length;
  expect(size).toBeGreaterThan(1_000);
  expect(size).toBeLessThan(5 * 1024);
});

it("is what the customer page loads (after a change: vitest run packages/client -u)", async () => {
  const notice = "// Made from packages/client/src by its bundle test. Do not edit.\n/* oxlint-disable */\n";
  await expect(notice + (await bundleClient({ minify: false }))).toMatchFileSnapshot(
    "../../../services/notifier/page/perkstream-client.js",
  );
});
