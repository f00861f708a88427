import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "./steps.ts";

/* What an operator can set, see and read in a log is documented, and nothing else is. */

const production = globSync(["packages/*/src/**/*.ts", "services/*/src/**/*.ts", "scripts/**/*.{ts,mjs}", "vitest.setup.ts"], { cwd: root })
  .filter((path) => !/\.test\.ts$|\/testing\/|^scripts\/e2e\/|\/node_modules\/|\/dist\//.test(path))
  .map((path) => readFileSync(join(root, path), "utf8"));

function found(pattern: RegExp, texts: readonly string[] = production): Set<string> {
  return new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([all, group]) => group ?? all)));
}

const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** From the bootstrap to what it starts. */
const INTERNAL = new Set(["PERKS_BOOTSTRAP_PID"]);

it(".env.example has every variable, and none that nobody reads", () => {
  const used = [...found(/\b(?:PERKS_|KAFKA_S|UWS_)[A-Z_]*[A-Z]\b/g)].filter((name) => !INTERNAL.has(name));
  const named = found(/^#([A-Z_]+)=/gm, [read(".env.example")]);
  expect(used.filter((name) => !named.has(name))).toEqual([]);
  const all = production.join("\n");
  // The ports of programs follow from their names.
  expect([...named].filter((name) => !all.includes(name) && !name.endsWith("_PORT"))).toEqual([]);
});

it("docs/operations.md has every metric", () => {
  const metrics = found(/name: "(perkstream_[a-z_]+)"/g);
  const documented = found(/`perkstream_[a-z_]+|`(_[a-z_]+)`/g, [read("docs/operations.md")]);
  expect(metrics.size).toBeGreaterThan(20);
  expect([...metrics].filter((name) => !documented.has(`\`${name}`))).toEqual([]);
  expect([...documented].filter((name) => name.startsWith("`") && !metrics.has(name.slice(1)))).toEqual([]);
});

it("docs/operations.md has every message of a warning or an error", () => {
  const messages = found(/\b(?:log|Log)\.(?:warn|error|fatal)\([^;]*?"([^"]{8,})",?\s*\)/g);
  expect(messages.size).toBeGreaterThan(25);
  const documented = read("docs/operations.md");
  expect([...messages].filter((message) => !documented.includes(message))).toEqual([]);
});
