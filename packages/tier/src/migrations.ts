import type { Migrations } from "@perkstream/postgres";
import { fileURLToPath } from "node:url";
import { rights } from "./rights.ts";

/** The tables of schema `tier`. */
export const migrations: Migrations = {
  schema: "tier",
  folder: fileURLToPath(new URL("../migrations", import.meta.url)),
  rights,
};
