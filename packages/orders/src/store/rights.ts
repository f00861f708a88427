import type { TableRights } from "@perkstream/postgres";

/** What a program does with the tables of its order book. */
export const orderRights = {
  order: "SELECT, INSERT, UPDATE",
  refund: "SELECT, INSERT",
  parked: "SELECT, INSERT, DELETE",
} as const satisfies TableRights;
