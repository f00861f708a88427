import type { Rights } from "@perkstream/postgres";
import { hostRights } from "@perkstream/program";

export const rights: Rights = {
  // The notifier hosts the program and answers with what it stored.
  perkstream_notifier: {
    inbox: {
      ...hostRights,
      account: "SELECT, INSERT, UPDATE",
      notification: "SELECT, INSERT, DELETE",
      source: "SELECT, INSERT, UPDATE",
      trim: "SELECT, INSERT, UPDATE",
    },
  },
  // Notifications are listed and acknowledged through the API too.
  perkstream_api: {
    inbox: { progress: "SELECT, INSERT", account: "SELECT, INSERT, UPDATE", notification: "SELECT", source: "SELECT", trim: "SELECT" },
  },
};
