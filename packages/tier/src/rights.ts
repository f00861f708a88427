import { merchantReads } from "@perkstream/merchant";
import { orderRights } from "@perkstream/orders";
import type { Rights } from "@perkstream/postgres";
import { commandRights, hostRights } from "@perkstream/program";

/** What is decided about customers, by the program and by the API's commands. The history is only added to. */
const customers = {
  account: "SELECT, INSERT, UPDATE",
  day: "SELECT, INSERT, UPDATE",
  history: "SELECT, INSERT",
} as const;

export const rights: Rights = {
  perkstream_tier: {
    merchant: merchantReads,
    tier: { ...hostRights, ...orderRights, ...customers, ladder_version: "SELECT", edit_pending: "SELECT, UPDATE, DELETE" },
  },
  // Pins, ladders, records that are read once more, and what is shown. A ladder's versions stay as they were.
  perkstream_api: {
    tier: { ...commandRights, ...orderRights, ...customers, ladder_version: "SELECT, INSERT", edit_pending: "SELECT, INSERT, UPDATE" },
  },
  // Levels as of an offset, and whose an order is: levels.ts and owners.ts.
  perkstream_cashback: {
    tier: { progress: "SELECT", account: "SELECT", history: "SELECT", ladder_version: "SELECT", order: "SELECT", dead_letter: "SELECT" },
  },
};
