import { pageOf, pageQuery } from "../../http/cursor.ts";
import { operation } from "../../operation.ts";
import { notification } from "../../schemas/customer.ts";
import { answerNotes } from "../customers/notes.ts";

export const listMyNotifications = operation({
  method: "get",
  path: "/v1/me/notifications",
  tag: "Customer's own",
  summary: "What the customer was told, newest first",
  access: { kind: "customer" },
  query: pageQuery,
  replies: { 200: { description: "Notifications in the order of their cursors, newest first", schema: pageOf(notification) } },
  errors: ["not_found"],
  handle: ({ deps, principal, query }) => answerNotes(deps, principal.merchant, principal.customerId, query),
});
