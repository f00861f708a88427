import { migrations as cashback } from "@perkstream/cashback";
import { migrations as inbox } from "@perkstream/inbox";
import { migrations as merchant } from "@perkstream/merchant";
import type { Migrations } from "@perkstream/postgres";
import { migrations as tier } from "@perkstream/tier";
import type { Extension } from "./extension.ts";
import * as listed from "./extensions.ts";
import { corePrograms } from "./programs.ts";

export const extensions: readonly Extension[] = Object.values<Extension>(listed);

/** Every program over orders.v1 whose host tables the API reads; the order is that of locks. */
export const programs: readonly [string, ...string[]] = [...corePrograms, ...extensions.map(({ program }) => program)];

export const migrations: readonly Migrations[] = [merchant, tier, cashback, inbox, ...extensions.map((one) => one.migrations)];
