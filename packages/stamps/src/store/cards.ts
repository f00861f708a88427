import { arrayLiteral, parseInt8Array, type Sql, type Tx } from "@perkstream/postgres";
import { type CardVersion, MerchantCards } from "../cards.ts";

interface CardRow {
  readonly merchant: string;
  readonly edit: number;
  readonly card_id: string;
  readonly version: number;
  readonly name: string;
  readonly category: string;
  readonly size: number;
  readonly active: boolean;
  readonly from_offsets: string;
}

/** Cards by the merchant's UUID; versions are never changed once stored, so only newer ones are ever read again. */
export class CardCache {
  readonly #known = new Map<string, MerchantCards>();
  readonly #limit: number;

  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  get(merchantId: string): MerchantCards | undefined {
    return this.#known.get(merchantId);
  }

  set(merchantId: string, cards: MerchantCards): void {
    this.#known.delete(merchantId);
    this.#known.set(merchantId, cards);
    const oldest = this.#known.keys().next();
    if (this.#known.size > this.#limit && oldest.done === false) this.#known.delete(oldest.value);
  }

  clear(): void {
    this.#known.clear();
  }
}

/**
 * The cards of those of the merchants (UUIDs) that ever had one, by one statement; run under the progress lock where it
 * decides. For merchants without cards it is an index lookup that finds nothing.
 */
export async function loadCards(tx: Tx | Sql, merchantIds: Iterable<string>, cache: CardCache): Promise<Map<string, MerchantCards>> {
  const ids = [...new Set(merchantIds)];
  const found = new Map<string, MerchantCards>();
  if (ids.length === 0) return found;
  for (const id of ids) {
    const known = cache.get(id);
    if (known !== undefined) found.set(id, known);
  }
  const rows: readonly CardRow[] = await tx.unsafe(
    `SELECT v.merchant, v.edit, v.card_id, v.version, v.name, v.category, v.size, v.active, v.from_offsets
     FROM unnest($1::uuid[], $2::int4[]) AS k(merchant, known) JOIN stamps.card_version v ON v.merchant = k.merchant AND v.edit > k.known
     ORDER BY v.merchant, v.edit`,
    [arrayLiteral(ids), arrayLiteral(ids.map((id) => found.get(id)?.edits.length ?? 0))],
    { prepare: true },
  );
  for (const [id, newer] of Map.groupBy(rows, ({ merchant }) => merchant)) {
    found.set(id, new MerchantCards([...(found.get(id)?.edits ?? []), ...newer.map(versionOf)]));
  }
  for (const [id, cards] of found) cache.set(id, cards);
  return found;
}

function versionOf({ edit, card_id, version, name, category, size, active, from_offsets }: CardRow): CardVersion {
  return { edit, cardId: card_id, version, name, category, size, active, from: parseInt8Array(from_offsets) };
}
