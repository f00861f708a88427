import type { TableRights } from "@perkstream/postgres";

/** What a program's process does with the tables of its host. */
export const hostRights = {
  progress: "SELECT, INSERT, UPDATE",
  outbox: "SELECT, INSERT, DELETE",
  dead_letter: "SELECT, INSERT, UPDATE",
  tally: "SELECT, INSERT, UPDATE",
  applied: "SELECT, INSERT",
  sweep_request: "SELECT, UPDATE",
} as const satisfies TableRights;

/** What an API does with them: commands (`withPartitions`), records that it reads once more (`redrive`), sweeps that it asks for. */
export const commandRights = {
  progress: "SELECT, INSERT, UPDATE",
  outbox: "INSERT",
  dead_letter: "SELECT, INSERT, UPDATE",
  tally: "SELECT, INSERT, UPDATE",
  applied: "INSERT",
  sweep_request: "SELECT, INSERT, DELETE",
} as const satisfies TableRights;
