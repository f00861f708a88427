import { arrayLiteral, type Sql, type Tx } from "@perkstream/postgres";
import type { CommandContext } from "@perkstream/program";
import type { CardVersion, MerchantCards } from "./cards.ts";
import { CardCache, loadCards } from "./store/cards.ts";

/** A card as it is shown. */
export interface CardJson {
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly category: string;
  readonly size: number;
  readonly active: boolean;
}

export interface CardChange extends Omit<CardJson, "version"> {
  readonly actor: string;
  /** The request's clock (ms). */
  readonly atMs: number;
}

/** Each order of a merchant is held against all of its cards. */
export const MAX_CARDS = 100;

/** All cards of a merchant (UUID), by id in byte order. */
export async function listCards(sql: Sql | Tx, merchantId: string): Promise<CardJson[]> {
  return (await cardsOf(sql, merchantId))?.newest().map(cardJson) ?? [];
}

/** One card; null when there is none of this id. */
export async function findCard(sql: Sql | Tx, merchantId: string, id: string): Promise<CardJson | null> {
  return (await listCards(sql, merchantId)).find((card) => card.id === id) ?? null;
}

/**
 * Stores the next version of a card, the first when it is new, inside `withPartitions` over **all** partitions of the stamps
 * program: it counts what is read from their next offsets on.
 */
export async function putCard({ tx, progress, applied }: CommandContext, merchantId: string, change: CardChange): Promise<CardJson> {
  const cards = await cardsOf(tx, merchantId);
  const edit = (cards?.edits.length ?? 0) + 1;
  const version = (cards?.newest().find(({ cardId }) => cardId === change.id)?.version ?? 0) + 1;
  const { id, name, category, size, active, actor, atMs } = change;
  const partitions = [...progress.keys()];
  const from = Array.from({ length: Math.max(-1, ...partitions) + 1 }, (_, partition) => progress.get(partition)?.nextOffset ?? 0);
  await tx.unsafe(
    `INSERT INTO stamps.card_version (merchant, edit, card_id, version, name, category, size, active, actor, as_of, from_offsets)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::timestamptz, $11::int8[])`,
    [merchantId, edit, id, version, name, category, size, active, actor, new Date(atMs).toISOString(), arrayLiteral(from)],
    { prepare: true },
  );
  for (const partition of partitions) {
    applied({ partition, kind: "card", customer: 0, asOf: atMs, detail: { merchantId, cardId: id, version } });
  }
  return { id, version, name, category, size, active };
}

async function cardsOf(sql: Sql | Tx, merchantId: string): Promise<MerchantCards | undefined> {
  return (await loadCards(sql, [merchantId], new CardCache())).get(merchantId);
}

function cardJson({ cardId, version, name, category, size, active }: CardVersion): CardJson {
  return { id: cardId, version, name, category, size, active };
}
