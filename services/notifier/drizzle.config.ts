import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "postgresql",
  schema: "./src/cluster/schema.ts",
  out: "./migrations",
  schemaFilter: ["notifier"],
});
