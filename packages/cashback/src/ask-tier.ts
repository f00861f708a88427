import type { OrderEntry } from "@perkstream/orders";
import { placeOf } from "@perkstream/program";
import type { Tx } from "@perkstream/postgres";
import type { LevelQuery, TierPort, TierStanding } from "./tier-port.ts";
import type { CashbackWork } from "./work.ts";

/** The tier program is behind an order that needs its level: a campaign came between `horizon` and the chunk. The host waits and tries again. */
class TierBehindError extends Error {
  constructor(partition: number, offset: number) {
    super(`the tier program has not handled ${partition}:${offset} yet`);
    this.name = "OutageError";
  }
}

interface Asked {
  readonly entry: OrderEntry;
  readonly merchant: number;
  readonly usesTier: boolean;
}

/**
 * What of the tier program decides about new orders: the level before each that a campaign with multipliers may pay, and for whom
 * tier counted an id that two customers sent (docs/protocols.md, "One order id, two customers").
 */
export async function askTier(tier: TierPort, tx: Tx, work: CashbackWork, entries: readonly OrderEntry[]): Promise<void> {
  const asked = newOrders(work, entries);
  if (asked.length === 0) return;
  // Progress is read before levels are, so that the levels of everything below it are there.
  const standing = await tier.standing(tx, rangesOf(asked));
  await Promise.all([loadLevels(tier, tx, work, asked, standing), loadOwners(tier, tx, work, asked, standing)]);
}

function newOrders(work: CashbackWork, entries: readonly OrderEntry[]): Asked[] {
  const asked: Asked[] = [];
  for (const entry of entries) {
    const { event, record } = entry;
    if (event.type !== "OrderPlaced") continue;
    const { merchant, campaigns } = work.merchant(event.merchantId);
    if (work.orders.find(merchant.id, event.orderId) !== undefined) continue;
    asked.push({ entry, merchant: merchant.id, usesTier: campaigns.usesTierAt(record.partition, placeOf(entry)) });
  }
  return asked;
}

function rangesOf(asked: readonly Asked[]) {
  const ranges = new Map<number, { partition: number; from: number; to: number }>();
  for (const { entry } of asked) {
    const { partition, offset } = entry.record;
    const range = ranges.get(partition);
    if (range === undefined) {
      ranges.set(partition, { partition, from: offset, to: offset });
    } else {
      range.from = Math.min(range.from, offset);
      range.to = Math.max(range.to, offset);
    }
  }
  return [...ranges.values()];
}

async function loadLevels(
  tier: TierPort,
  tx: Tx,
  work: CashbackWork,
  asked: readonly Asked[],
  standing: ReadonlyMap<number, TierStanding>,
): Promise<void> {
  const queries: LevelQuery[] = [];
  for (const { entry, merchant, usesTier } of asked) {
    if (!usesTier) continue;
    const { event, record } = entry;
    const { partition, offset } = record;
    const { customerId, orderId } = event;
    if ((standing.get(partition)?.nextOffset ?? 0) <= offset) throw new TierBehindError(partition, offset);
    if (entry.place === undefined) queries.push({ merchant, customerId, partition, offset });
    else work.levels.set(`${partition}:${offset}`, await tier.levelBefore(tx, { merchant, customerId, partition, orderId }));
  }
  if (queries.length === 0) return;
  const levels = await tier.levelsAt(tx, queries);
  for (const [i, { partition, offset }] of queries.entries()) {
    const level = levels[i];
    if (level === undefined) throw new Error("the tier port answered fewer levels than were asked for");
    work.levels.set(`${partition}:${offset}`, level);
  }
}

/** Whatever tier counted below its progress is this customer's, unless it refused this record; beyond it, and out of turn, it must be asked. */
async function loadOwners(
  tier: TierPort,
  tx: Tx,
  work: CashbackWork,
  asked: readonly Asked[],
  standing: ReadonlyMap<number, TierStanding>,
): Promise<void> {
  const unsure = asked.filter(({ entry: { record, place } }) => {
    const at = standing.get(record.partition);
    return at === undefined || place !== undefined || record.offset >= at.nextOffset || at.conflicts.has(record.offset);
  });
  if (unsure.length === 0) return;
  const owners = await tier.owners(
    tx,
    unsure.map(({ merchant, entry }) => ({ merchant, orderId: entry.event.orderId })),
  );
  for (const [i, { entry }] of unsure.entries()) {
    const owner = owners[i] ?? null;
    const { partition, offset } = entry.record;
    if (owner !== null && owner !== entry.event.customerId) work.ofOthers.add(`${partition}:${offset}`);
  }
}
