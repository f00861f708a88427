export * from "./queries/campaigns.ts";
export * from "./queries/customers.ts";
export * from "./queries/orders.ts";
export * from "./queries/redemptions.ts";
export * from "./queries/shapes.ts";
