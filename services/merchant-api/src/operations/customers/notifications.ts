import { pageOf, pageQuery } from "../../http/cursor.ts";
import { operation } from "../../operation.ts";
import { customerParams, notification } from "../../schemas/customer.ts";
import { answerNotes } from "./notes.ts";

export const listCustomerNotifications = operation({
  method: "get",
  path: "/v1/customers/{customerId}/notifications",
  tag: "Customers",
  summary: "What the customer was told, newest first",
  access: { kind: "merchant", role: "viewer" },
  params: customerParams,
  query: pageQuery,
  replies: { 200: { description: "Notifications in the order of their cursors, newest first", schema: pageOf(notification) } },
  errors: ["not_found"],
  handle: ({ deps, principal, params, query }) => answerNotes(deps, principal.merchant, params.customerId, query),
});
