import { topics } from "@perkstream/contracts";
import { migrations as cashback } from "@perkstream/cashback";
import { migrations as inbox } from "@perkstream/inbox";
import { migrations as merchant } from "@perkstream/merchant";
import type { Migrations } from "@perkstream/postgres";
import type { PortSetting } from "@perkstream/stack";
import { migrations as tier } from "@perkstream/tier";

/** A process of the product and what has to exist before it starts. */
export interface ServiceEntry {
  /** Its folder in services/. */
  readonly name: string;
  /** Where it serves /healthz and /readyz. */
  readonly port: PortSetting;
  readonly migrations: Migrations;
  /** The program that it hosts: its schema and the topic that it reads. */
  readonly program?: { readonly program: string; readonly topic: string };
}

const port = (name: string, variable: string, fallback: number): PortSetting => ({ name, variable, fallback });

/** Everything that runs, in the order of its start; a stop goes the other way round, so that intake ends first. A new program is a line here. */
export const services: readonly ServiceEntry[] = [
  {
    name: "tier-processor",
    port: port("The tier processor", "TIER_PORT", 8082),
    migrations: tier,
    program: { program: "tier", topic: topics.orders },
  },
  {
    name: "cashback-processor",
    port: port("The cashback processor", "CASHBACK_PORT", 8083),
    migrations: cashback,
    program: { program: "cashback", topic: topics.orders },
  },
  {
    name: "notifier",
    port: port("The notifier", "NOTIFIER_PORT", 8081),
    migrations: inbox,
    program: { program: "inbox", topic: topics.notifications },
  },
  { name: "merchant-api", port: port("The merchant API", "MERCHANT_API_PORT", 8080), migrations: merchant },
];
