import {
  createRedemptionCommands,
  findRedemptionView,
  type RedemptionCommand,
  type RedemptionCommands,
  redemptionPartition,
  type RedemptionRefusal,
} from "@perkstream/cashback";
import type { Merchant } from "@perkstream/merchant";
import type { Tx } from "@perkstream/postgres";
import { type CommandContext, inPartitions } from "@perkstream/program";
import type { MerchantPrincipal } from "../../auth/principal.ts";
import type { Refusal } from "../../errors.ts";
import { refuse } from "../../errors.ts";
import { scopeOf } from "../../programs.ts";
import type { WriteCall } from "../../write.ts";
import { currentMerchant } from "../merchant/current.ts";

export interface RedemptionCall extends WriteCall {
  readonly principal: MerchantPrincipal;
  readonly now: number;
}

const details: Record<RedemptionRefusal, string> = {
  insufficient_balance: "the customer has less than that available",
  not_reserved: "the redemption is not reserved, or names another order",
  not_found: "there is no such redemption",
};

export const refuseRedemption = (refusal: RedemptionRefusal): Refusal => refuse(refusal, details[refusal]);

type Outcome = Awaited<ReturnType<RedemptionCommands["commit"]>>;

/** Runs a command under the lock of one partition of the cashback program, with the settings that hold there. */
export async function underCustomerLock(
  { deps, principal, now }: RedemptionCall,
  tx: Tx,
  partition: number,
  run: (commands: RedemptionCommands, held: CommandContext, command: RedemptionCommand) => Promise<Outcome>,
): Promise<Outcome> {
  const commands = createRedemptionCommands({ decoder: deps.records.storedOrders, encoder: deps.records.notifications });
  return inPartitions(tx, { ...scopeOf("cashback"), partitions: [partition] }, async (held) =>
    run(commands, held, { merchant: await currentMerchant(tx, principal.merchant.merchantId), partition, at: now }),
  );
}

/** A command on a redemption that exists: 404 without touching anything when it does not. */
export async function onRedemption(
  call: RedemptionCall,
  tx: Tx,
  redemptionId: string,
  run: (commands: RedemptionCommands, held: CommandContext, command: RedemptionCommand) => Promise<Outcome>,
): Promise<Outcome> {
  const partition = await redemptionPartition(tx, call.principal.merchant.id, redemptionId);
  return partition === undefined ? "not_found" : underCustomerLock(call, tx, partition, run);
}

/** The redemption as it is stored now, for the answer of a command. */
export async function requireRedemption(tx: Tx, merchant: Merchant, redemptionId: string) {
  const view = await findRedemptionView(tx, merchant.id, redemptionId);
  if (view === undefined) throw new Error(`redemption ${redemptionId} is gone`);
  return view;
}
