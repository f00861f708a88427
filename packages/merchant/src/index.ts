export { createApiKey, findApiKey, listApiKeys, revokeApiKey, touchApiKey, type ApiKey, type ApiKeyHolder } from "./api-key.ts";
export { listAudit, writeAudit, type AuditEntry } from "./audit.ts";
export { createMerchant, updateSettings, type Act, type HoldsFrom, type NewMerchant, type SettingsChange } from "./edit.ts";
export {
  beginIdempotent,
  findIdempotent,
  finishIdempotent,
  forgetOld,
  KEPT_MS,
  type Answer,
  type IdempotencyScope,
  type IdempotencyStart,
} from "./idempotency.ts";
export { createMerchantCache, findMerchant, loadMerchants, loadMerchantsById, type MerchantCache } from "./load.ts";
export { migrations } from "./migrations.ts";
export { orderTimes } from "./order-time.ts";
export { merchantReads } from "./rights.ts";
export {
  currentSettings,
  settingsAt,
  type ClawbackPolicy,
  type Merchant,
  type MerchantClock,
  type Role,
  type Settings,
  type SettingsVersion,
} from "./settings.ts";
