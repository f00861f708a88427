import { createStampsProgram, migrations } from "@perkstream/stamps";
import type { Extension } from "../../extension.ts";
import { getStampCard } from "./get.ts";
import { listStampCards } from "./list.ts";
import { listCustomerStamps } from "./of-customer.ts";
import { putStampCard } from "./put.ts";

/** The stamps program: docs/adding-a-program.md. */
export const stamps: Extension = {
  program: "stamps",
  migrations,
  create: createStampsProgram,
  operations: [putStampCard, listStampCards, getStampCard, listCustomerStamps],
};
