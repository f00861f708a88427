import { currentSettings, type Merchant } from "@perkstream/merchant";
import type { z } from "@hono/zod-openapi";
import type { merchantShape } from "../../schemas/merchant.ts";

export function showMerchant(merchant: Merchant): z.input<typeof merchantShape> {
  const { currency, timeZone, clawbackPolicy, expiringNoticeDays } = currentSettings(merchant);
  return {
    merchantId: merchant.merchantId,
    name: merchant.name,
    currency,
    timeZone,
    clawbackPolicy,
    expiringNoticeDays,
    clock: merchant.clock,
  };
}
