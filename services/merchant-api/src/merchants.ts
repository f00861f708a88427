import {
  createMerchantCache,
  findApiKey,
  forgetOld,
  loadMerchants,
  type ApiKeyHolder,
  type Merchant,
  touchApiKey,
} from "@perkstream/merchant";
import type { Sql } from "@perkstream/postgres";
import type { Logger } from "@perkstream/service";

const FORGET_EVERY_MS = 600_000;
const TOUCH_EVERY_MS = 60_000;
const MAX_TOUCHED = 10_000;

export interface Merchants {
  find(merchantId: string): Promise<Merchant | null>;
  /** Whom a key speaks for; notes its last use, which no request waits for. */
  findKey(key: string): Promise<ApiKeyHolder | null>;
  close(): void;
}

/** Merchants and keys as requests ask for them; deletes idempotency answers and order times that are older than a day. */
export function openMerchants(sql: Sql, { clock, log }: { readonly clock: () => number; readonly log: Logger }): Merchants {
  const cache = createMerchantCache();
  const timer = setInterval(() => {
    forgetOld(sql, clock()).catch((error: unknown) => log.warn({ err: error }, "old answers could not be deleted"));
  }, FORGET_EVERY_MS);
  timer.unref();
  const touchedAt = new Map<string, number>();
  const touch = (keyId: string) => {
    const now = clock();
    if (now - (touchedAt.get(keyId) ?? 0) < TOUCH_EVERY_MS) return;
    if (touchedAt.size >= MAX_TOUCHED) touchedAt.clear();
    touchedAt.set(keyId, now);
    touchApiKey(sql, keyId, now).catch((error: unknown) => log.warn({ err: error }, "the last use of a key was not noted"));
  };
  return {
    async find(merchantId) {
      const found = await loadMerchants(sql, [merchantId], cache);
      return found.get(merchantId) ?? null;
    },
    async findKey(key) {
      const holder = await findApiKey(sql, key);
      if (holder !== null) touch(holder.id);
      return holder;
    },
    close: () => clearInterval(timer),
  };
}
