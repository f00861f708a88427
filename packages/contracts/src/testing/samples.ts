import { readdirSync, readFileSync } from "node:fs";
import type { NotificationEvent } from "../notifications.ts";
import type { OrderEvent } from "../orders.ts";

const folder = new URL("../../golden/", import.meta.url);

/**
 * One record of every type: `golden/<Type>.json`, where an amount is a text such as `"49n"`. `golden/<Type>.hex` has its bytes.
 * Never changed once released, only added to.
 */
export const samples: readonly (OrderEvent | NotificationEvent)[] = readdirSync(folder)
  .filter((file) => file.endsWith(".json"))
  .map((file) => JSON.parse(readFileSync(new URL(file, folder), "utf8"), amounts) as OrderEvent | NotificationEvent);

function amounts(_name: string, value: unknown): unknown {
  return typeof value === "string" && /^-?\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value;
}
