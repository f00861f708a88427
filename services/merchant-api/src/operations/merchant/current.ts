import { findMerchant, type Merchant } from "@perkstream/merchant";
import type { Tx } from "@perkstream/postgres";

/**
 * The merchant with the settings that hold now. To be asked under a progress lock: a change of settings needs all of them,
 * so that what is read here holds until the commit. Those of the authentication may be older.
 */
export async function currentMerchant(tx: Tx, merchantId: string): Promise<Merchant> {
  const merchant = await findMerchant(tx, merchantId);
  if (merchant === null) throw new Error(`merchant ${merchantId} is gone`);
  return merchant;
}
