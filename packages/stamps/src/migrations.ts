import type { Migrations } from "@perkstream/postgres";
import { fileURLToPath } from "node:url";
import { rights } from "./rights.ts";

/** The tables of schema `stamps`. */
export const migrations: Migrations = { schema: "stamps", folder: fileURLToPath(new URL("../migrations", import.meta.url)), rights };
