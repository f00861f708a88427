import { topics } from "@perkstream/contracts";
import { migrations as inbox } from "@perkstream/inbox";
import { migrations as merchant } from "@perkstream/merchant";
import type { Migrations } from "@perkstream/postgres";
import type { PortSetting } from "@perkstream/stack";

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

const packages = new URL("../../packages", import.meta.url).href;

/**
 * A program over orders.v1, by what its name says: packages/<name> with its migrations and schema `<name>`,
 * services/<name>-processor, and the variable <NAME>_PORT for its health and metrics.
 */
async function program(name: string, port: number): Promise<ServiceEntry> {
  const { migrations } = (await import(`${packages}/${name}/src/migrations.ts`)) as { migrations: Migrations };
  return {
    name: `${name}-processor`,
    port: { name: `The ${name} processor`, variable: `${name.toUpperCase()}_PORT`, fallback: port },
    migrations,
    program: { program: name, topic: topics.orders },
  };
}

/** Everything that runs, in the order of its start; a stop goes the other way round, so that intake ends first. A new program is a line here. */
export const services: readonly ServiceEntry[] = [
  await program("tier", 8082),
  await program("cashback", 8083),
  await program("stamps", 8084),
  {
    name: "notifier",
    port: { name: "The notifier", variable: "NOTIFIER_PORT", fallback: 8081 },
    migrations: inbox,
    program: { program: "inbox", topic: topics.notifications },
  },
  { name: "merchant-api", port: { name: "The merchant API", variable: "MERCHANT_API_PORT", fallback: 8080 }, migrations: merchant },
];

/** The names of the programs over orders.v1. */
export const orderPrograms: readonly string[] = services.flatMap((service) =>
  service.program?.topic === topics.orders ? service.program.program : [],
);
