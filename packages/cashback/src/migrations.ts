import { fileURLToPath } from "node:url";
import type { Migrations } from "@perkstream/postgres";
import { rights } from "./rights.ts";

export const migrations: Migrations = {
  schema: "cashback",
  folder: fileURLToPath(new URL("../migrations", import.meta.url)),
  rights,
};
