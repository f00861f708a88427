// Made by `npm run schemas -- generate` from schemas/; do not edit.

/** Topic names carry a major version. */
export const topics = {
  orders: "orders.v1",
  notifications: "notifications.v1",
} as const;
