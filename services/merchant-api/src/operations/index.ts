import { extensions } from "../composition.ts";
import type { Operation } from "../operation.ts";
import { listAuditLog } from "./audit/list.ts";
import { activateCampaign } from "./campaigns/activate.ts";
import { changeOneCampaign } from "./campaigns/change.ts";
import { createOneCampaign } from "./campaigns/create.ts";
import { endCampaign } from "./campaigns/end.ts";
import { getCampaign } from "./campaigns/get.ts";
import { listAllCampaigns } from "./campaigns/list.ts";
import { pauseCampaign } from "./campaigns/pause.ts";
import { removeCampaign } from "./campaigns/remove.ts";
import { getCampaignStats } from "./campaigns/stats.ts";
import { listCustomerCaps } from "./customers/caps.ts";
import { createCustomerToken } from "./customers/create-token.ts";
import { getCustomer } from "./customers/get.ts";
import { listCustomers } from "./customers/list.ts";
import { listCustomerLots } from "./customers/lots.ts";
import { listCustomerNotifications } from "./customers/notifications.ts";
import { listCustomerOrders } from "./customers/orders.ts";
import { listTierHistory } from "./customers/tier-history.ts";
import { listCustomerTransfers } from "./customers/transfers.ts";
import { listDeadLetters } from "./dead-letters/list.ts";
import { redriveDeadLetter } from "./dead-letters/redrive.ts";
import { getCounts } from "./dev/counts.ts";
import { settleNow } from "./dev/settle.ts";
import { signIn } from "./dev/sign-in.ts";
import { sweep } from "./dev/sweep.ts";
import { createKey } from "./keys/create.ts";
import { listKeys } from "./keys/list.ts";
import { revokeKey } from "./keys/revoke.ts";
import { acknowledgeMine } from "./me/acknowledge.ts";
import { getMine } from "./me/get.ts";
import { listMyNotifications } from "./me/notifications.ts";
import { listMyTransfers } from "./me/transfers.ts";
import { createOneMerchant } from "./merchant/create.ts";
import { getMerchant } from "./merchant/get.ts";
import { updateMerchant } from "./merchant/update.ts";
import { placeBatch } from "./orders/batch.ts";
import { cancelOrder } from "./orders/cancel.ts";
import { getOrder } from "./orders/get.ts";
import { placeOrder } from "./orders/place.ts";
import { refundOrder } from "./orders/refund.ts";
import { demoteCustomer } from "./pins/demote.ts";
import { pinCustomer } from "./pins/pin.ts";
import { promoteCustomer } from "./pins/promote.ts";
import { unpinCustomer } from "./pins/unpin.ts";
import { commitRedemption } from "./redemptions/commit.ts";
import { createRedemption } from "./redemptions/create.ts";
import { getRedemption } from "./redemptions/get.ts";
import { releaseRedemption } from "./redemptions/release.ts";
import { addLevel } from "./tiers/add-level.ts";
import { changeLevel } from "./tiers/change-level.ts";
import { getLadder } from "./tiers/get.ts";
import { removeLevel } from "./tiers/remove-level.ts";
import { replaceLadder } from "./tiers/replace.ts";

/** Every operation of the API, in the order of the reference page. */
export const operations: readonly Operation[] = [
  createOneMerchant,
  getMerchant,
  updateMerchant,
  listAuditLog,
  createKey,
  listKeys,
  revokeKey,
  getLadder,
  replaceLadder,
  addLevel,
  changeLevel,
  removeLevel,
  createOneCampaign,
  listAllCampaigns,
  getCampaign,
  changeOneCampaign,
  removeCampaign,
  activateCampaign,
  pauseCampaign,
  endCampaign,
  getCampaignStats,
  placeOrder,
  placeBatch,
  refundOrder,
  cancelOrder,
  getOrder,
  listCustomers,
  getCustomer,
  listTierHistory,
  listCustomerLots,
  listCustomerTransfers,
  listCustomerOrders,
  listCustomerCaps,
  listCustomerNotifications,
  createCustomerToken,
  promoteCustomer,
  demoteCustomer,
  pinCustomer,
  unpinCustomer,
  createRedemption,
  getRedemption,
  commitRedemption,
  releaseRedemption,
  getMine,
  listMyNotifications,
  listMyTransfers,
  acknowledgeMine,
  ...extensions.flatMap(({ operations }) => operations),
  listDeadLetters,
  redriveDeadLetter,
  signIn,
  settleNow,
  sweep,
  getCounts,
];
