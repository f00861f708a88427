import type { NotificationEncoder, OrderEvent, RecordDecoder } from "@perkstream/contracts";
import type { Migrations } from "@perkstream/postgres";
import type { Program } from "@perkstream/program";
import type { Operation } from "./operation.ts";

/** What a program is made of; its process gives it the same. */
export interface ProgramParts {
  readonly decoder: RecordDecoder<OrderEvent>;
  readonly encoder: NotificationEncoder;
  readonly partitions: number;
}

/**
 * What a program beside tier and cashback brings to the API. It reads orders.v1 and keeps its orders in the tables of
 * packages/orders; docs/adding-a-program.md has the whole of it.
 */
export interface Extension {
  /** Its name, which is its schema's. */
  readonly program: string;
  /** Applied before the API starts, since rules need the program's tables and progress rows. */
  readonly migrations: Migrations;
  /** Makes the program, with nothing cached: to read its dead letters once more. */
  readonly create: (parts: ProgramParts) => Program<unknown, unknown>;
  /** Its own operations; none are needed. */
  readonly operations: readonly Operation[];
}
