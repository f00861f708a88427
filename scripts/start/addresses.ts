import type { Stack } from "@perkstream/stack";
import type { StartSettings } from "./settings.ts";

/** Where everything is; the keys and their order are those of the line that `npm run up` prints. */
export interface Addresses {
  readonly merchantApi: string;
  /** An origin, without a path. */
  readonly notifier: string;
  readonly customerPage: string;
  readonly tier: string;
  readonly cashback: string;
  readonly kafka: string;
  readonly schemaRegistry: string;
  readonly postgres: string;
}

export function addressesOf({ ports }: StartSettings, stack: Stack): Addresses {
  const at = (scheme: string, name: string) => `${scheme}://127.0.0.1:${ports.get(name)}`;
  return {
    merchantApi: at("http", "merchant-api"),
    notifier: at("ws", "notifier"),
    customerPage: `${at("http", "notifier")}/`,
    tier: at("http", "tier-processor"),
    cashback: at("http", "cashback-processor"),
    kafka: stack.kafkaBrokers,
    schemaRegistry: stack.registryUrl,
    postgres: stack.postgresUrl,
  };
}
