import { fileURLToPath } from "node:url";
import type { Migrations } from "@perkstream/postgres";

export const migrations: Migrations = {
  schema: "inbox",
  folder: fileURLToPath(new URL("../migrations", import.meta.url)),
};
