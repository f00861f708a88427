import { defineConfig } from "drizzle-kit";

// Programs make the tables of this package in their own schemas; here they are only made for the tests.
export default defineConfig({
  dialect: "postgresql",
  schema: "./src/testing/schema.ts",
  out: "./src/testing/migrations",
  schemaFilter: ["trial"],
});
