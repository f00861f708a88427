import { merchantReads } from "@perkstream/merchant";
import { orderRights } from "@perkstream/orders";
import type { Rights } from "@perkstream/postgres";
import { commandRights, hostRights } from "@perkstream/program";

const customers = { account: "SELECT, INSERT, UPDATE", sheet: "SELECT, INSERT, UPDATE" } as const;

export const rights: Rights = {
  perkstream_stamps: {
    merchant: merchantReads,
    stamps: { ...hostRights, ...orderRights, ...customers, card_version: "SELECT" },
  },
  // Cards, records that are read once more, and what is shown.
  perkstream_api: { stamps: { ...commandRights, ...orderRights, ...customers, card_version: "SELECT, INSERT" } },
};
