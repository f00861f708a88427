import type { Migrations } from "@perkstream/postgres";
import { fileURLToPath } from "node:url";
import { orderRights } from "../store/rights.ts";

/** The tables of schema.ts beside this file. */
export const trialMigrations: Migrations = {
  schema: "trial",
  folder: fileURLToPath(new URL("./migrations", import.meta.url)),
  rights: { perkstream_trial: { trial: orderRights } },
};
