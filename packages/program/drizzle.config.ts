import { defineConfig } from "drizzle-kit";

// Only the probe of the tests has tables of its own here; programs have theirs in their packages.
export default defineConfig({
  dialect: "postgresql",
  schema: "./src/testing/probe.ts",
  out: "./src/testing/migrations",
  schemaFilter: ["probe"],
});
