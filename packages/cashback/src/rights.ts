import { merchantReads } from "@perkstream/merchant";
import { orderRights } from "@perkstream/orders";
import type { Rights } from "@perkstream/postgres";
import { commandRights, hostRights } from "@perkstream/program";

/** What is decided about customers, by the program and by the API's commands. Nobody changes the ledger: it is only added to. */
const customers = {
  transfer: "SELECT, INSERT",
  seal: "SELECT, INSERT",
  account: "SELECT, INSERT, UPDATE",
  lot: "SELECT, INSERT, UPDATE",
  merchant_balance: "SELECT, INSERT, UPDATE",
  campaign_stat: "SELECT, INSERT, UPDATE",
  budget_allowance: "SELECT, INSERT, UPDATE",
  cap_usage: "SELECT, INSERT, UPDATE",
} as const;

/** What this program reads of the tier program's schema is declared there. */
export const rights: Rights = {
  perkstream_cashback: {
    merchant: merchantReads,
    cashback: {
      ...hostRights,
      ...orderRights,
      ...customers,
      redemption: "SELECT, UPDATE",
      redemption_part: "SELECT, UPDATE",
      campaign: "SELECT",
      campaign_version: "SELECT",
      campaign_revision: "SELECT, UPDATE",
      campaign_budget: "SELECT, UPDATE",
    },
  },
  // Redemptions, campaigns, records that are read once more, and what is shown. With a deleted campaign go its versions and its
  // budget, by their foreign keys.
  perkstream_api: {
    cashback: {
      ...commandRights,
      ...orderRights,
      ...customers,
      redemption: "SELECT, INSERT, UPDATE",
      redemption_part: "SELECT, INSERT, UPDATE",
      campaign: "SELECT, INSERT, UPDATE, DELETE",
      campaign_version: "SELECT, INSERT",
      campaign_revision: "SELECT, INSERT, UPDATE",
      campaign_budget: "SELECT, INSERT, UPDATE",
    },
  },
};
