import type { Rights, ServiceRole } from "@perkstream/postgres";

/** Of the service and of the inbox that it hosts. */
export const role: ServiceRole = "perkstream_notifier";

export const rights: Rights = {
  [role]: {
    notifier: {
      instance: "SELECT, INSERT, UPDATE, DELETE",
      connection: "SELECT, INSERT, DELETE",
      command: "SELECT, INSERT, DELETE",
      command_result: "SELECT, INSERT",
    },
  },
};
