import type { Stack } from "@perkstream/stack";
import { orderPrograms } from "./services.ts";
import type { StartSettings } from "./settings.ts";

/** Where everything is; the keys and their order are those of the line that `npm run up` prints. */
export interface Addresses extends Readonly<Record<string, string>> {
  readonly merchantApi: string;
  /** An origin, without a path. */
  readonly notifier: string;
  readonly customerPage: string;
  // Here stand the programs over orders.v1, each by its name: where it serves health and metrics.
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
    ...Object.fromEntries(orderPrograms.map((program) => [program, at("http", `${program}-processor`)])),
    kafka: stack.kafkaBrokers,
    schemaRegistry: stack.registryUrl,
    postgres: stack.postgresUrl,
  };
}
