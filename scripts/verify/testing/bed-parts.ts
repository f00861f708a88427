import { createCashbackProgram } from "@perkstream/cashback";
import { fixedRegistry, openJsonDecoder, openNotificationEncoder, openOrderDecoder, openOrderEncoder, topics } from "@perkstream/contracts";
import { createInboxProgram } from "@perkstream/inbox";
import type { Sql } from "@perkstream/postgres";
import { type CommandContext, createDriver, type Driver, kafkajs, redrive, SOURCE_HEADER, sourceHeader } from "@perkstream/program";
import { createLevels, createTierProgram } from "@perkstream/tier";

const PARTITIONS = 3;
export const ALL_PARTITIONS = Array.from({ length: PARTITIONS }, (_, partition) => partition);

export interface Drivers {
  readonly tier: Driver;
  readonly cashback: Driver;
  readonly inbox: Driver;
  /** The programs themselves, tier first: to read records once more. */
  readonly redrivers: readonly Redriver[];
}

export interface Redriver {
  readonly program: "tier" | "cashback";
  redrive(context: CommandContext, record: { readonly partition: number; readonly offset: number }, letter: string): Promise<unknown>;
}

const choose = kafkajs.Partitioners.DefaultPartitioner();
const partitionMetadata = ALL_PARTITIONS.map((partitionId) => ({ partitionId, partitionErrorCode: 0, leader: 0, replicas: [], isr: [] }));

/** As the producers choose it. */
export function partitionOf(key: string): number {
  return choose({ topic: topics.orders, partitionMetadata, message: { key, value: null } });
}

export interface Codecs {
  readonly decoder: ReturnType<typeof openOrderDecoder>;
  readonly orders: Awaited<ReturnType<typeof openOrderEncoder>>;
  readonly notifications: Awaited<ReturnType<typeof openNotificationEncoder>>;
}

/** Both programs and the inbox, from what is stored on. */
export async function startDrivers(sql: Sql, { decoder, notifications: encoder }: Codecs): Promise<Drivers> {
  const partitions = PARTITIONS;
  const tier = createTierProgram({ decoder, encoder, partitions });
  // So few that sweeps are often cut in the middle of what is due at one instant.
  const cashback = createCashbackProgram({ decoder, encoder, tier: createLevels(), sql, partitions, maxLotsOfSweep: 2 });
  return {
    tier: await createDriver(tier, sql, partitions),
    cashback: await createDriver(cashback, sql, partitions),
    redrivers: [
      { program: "tier", redrive: (context, record, letter) => redrive(context, tier, record, letter) },
      { program: "cashback", redrive: (context, record, letter) => redrive(context, cashback, record, letter) },
    ],
    inbox: await createDriver(createInboxProgram({ reader: openJsonDecoder(fixedRegistry()), now: Date.now }), sql, partitions),
  };
}

export async function openCodecs(): Promise<Codecs> {
  const registry = fixedRegistry();
  return {
    decoder: openOrderDecoder(registry),
    orders: await openOrderEncoder(registry),
    notifications: await openNotificationEncoder(registry),
  };
}

/** The outboxes go to the inbox, in their order, and are marked in one transaction, as the hosts do it. */
export async function publishOutboxes(sql: Sql, inbox: Driver): Promise<void> {
  for (const program of ["tier", "cashback"]) {
    const rows = await sql.unsafe<{ part: number; seq: bigint; epoch: bigint; id: string; key: string; value: Buffer }[]>(
      `SELECT part, seq, epoch, id, key, value FROM ${program}.outbox ORDER BY part, seq`,
    );
    if (rows.length === 0) continue;
    await inbox.feed(
      rows.map(({ part, seq, epoch, id, key, value }) => {
        const row = { partition: part, seq: Number(seq), epoch: Number(epoch), notice: { id, key, value } };
        return {
          partition: part,
          timestamp: Date.now(),
          key: Buffer.from(key),
          value,
          headers: { [SOURCE_HEADER]: Buffer.from(sourceHeader(program, row)) },
        };
      }),
    );
    const last = [...new Map(rows.map(({ part, seq }) => [part, seq]))].map(([part, seq]) => `(${part}, ${seq})`).join(", ");
    await sql.unsafe(
      `WITH done AS (SELECT * FROM (VALUES ${last}) AS v(part, seq)), gone AS (DELETE FROM ${program}.outbox o USING done d WHERE o.part = d.part AND o.seq <= d.seq)
       UPDATE ${program}.progress p SET published = d.seq FROM done d WHERE p.part = d.part`,
    );
  }
}
