import type { Rights, TableRights } from "@perkstream/postgres";

/** For everyone who looks merchants and their settings up (`loadMerchants`). */
export const merchantReads = { merchant: "SELECT", setting: "SELECT" } as const satisfies TableRights;

/** The API writes merchants; what was said in `setting` and `audit` stays. */
export const rights: Rights = {
  perkstream_api: {
    merchant: {
      merchant: "SELECT, INSERT, UPDATE",
      setting: "SELECT, INSERT",
      api_key: "SELECT, INSERT, UPDATE",
      audit: "SELECT, INSERT",
      idempotency: "SELECT, INSERT, UPDATE, DELETE",
      order_time: "SELECT, INSERT, UPDATE, DELETE",
    },
  },
};
