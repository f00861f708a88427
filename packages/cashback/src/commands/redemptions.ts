import type { NotificationEncoder } from "@perkstream/contracts";
import type { Merchant } from "@perkstream/merchant";
import type { OrderDecoder } from "@perkstream/orders";
import type { CommandContext } from "@perkstream/program";
import { refundedOrder } from "../decide.ts";
import { commit, link, type NamedOrder, type Posting, redeem, type Redemption, release, reserve } from "../domain/index.ts";
import { type CustomerNeed, customerNeed, loadCustomers } from "../load.ts";
import { cashbackOrders } from "../program.ts";
import { type AccountState, AccountIds, loadAccounts } from "../store/accounts.ts";
import { CampaignCache } from "../store/campaigns.ts";
import { findRedemption, type RedemptionRow } from "../store/redemptions.ts";
import { CashbackWork, type Held, type MerchantWork } from "../work.ts";

export type RedemptionRefusal = "insufficient_balance" | "not_reserved" | "not_found";

/** Whose command it is and when: `partition` is the customer's, `at` the request's clock (ms). */
export interface RedemptionCommand {
  readonly merchant: Merchant;
  readonly partition: number;
  readonly at: number;
}

export interface RedemptionRequest extends RedemptionCommand {
  readonly customerId: string;
  readonly redemptionId: string;
  readonly amountMinor: bigint;
  readonly orderId: string | null;
}

export interface RedemptionCommands {
  /** Reserves for `ttlMs`. */
  reserve(context: CommandContext, request: RedemptionRequest, ttlMs: number): Promise<Redemption | RedemptionRefusal>;
  /** Redeems in one step. */
  redeem(context: CommandContext, request: RedemptionRequest): Promise<Redemption | RedemptionRefusal>;
  commit(context: CommandContext, command: RedemptionCommand, redemptionId: string): Promise<Redemption | RedemptionRefusal>;
  release(context: CommandContext, command: RedemptionCommand, redemptionId: string): Promise<Redemption | RedemptionRefusal>;
  /** Names the order that it pays for, before the order is produced (protocols: redemption and order). */
  link(context: CommandContext, command: RedemptionCommand, redemptionId: string, orderId: string): Promise<Redemption | RedemptionRefusal>;
}

type Kind = "reserve" | "redeem" | "commit" | "release" | "link";

/** A command as it is stored in `applied`: with what was given. */
interface Named {
  readonly kind: Kind;
  readonly id: string;
  /** The order that it is about, if any. */
  readonly orderId: string | null;
  readonly given: Readonly<Record<string, unknown>>;
}

interface Opened {
  readonly work: CashbackWork;
  readonly own: MerchantWork;
  readonly state: AccountState;
  readonly held: Held;
}

/**
 * Redemptions as commands of the API. Each runs inside `inPartitions` over the customer's one partition; what was due by then and the
 * customer's last as-of stay even when the command is refused, so the caller commits in either case. Either is stored in `applied`.
 */
export function createRedemptionCommands(settings: {
  readonly decoder: OrderDecoder;
  readonly encoder: NotificationEncoder;
}): RedemptionCommands {
  const book = cashbackOrders(settings.decoder);

  async function open(context: CommandContext, command: RedemptionCommand, customerId: string): Promise<Opened> {
    const { merchant, partition } = command;
    const campaigns = (await new CampaignCache().load(context.tx, [merchant.id])).get(merchant.id);
    if (campaigns === undefined) throw new Error(`merchant ${merchant.merchantId} has no campaigns entry`);
    const own = { merchant, campaigns };
    const work = new CashbackWork(context, settings.encoder, new Map([[merchant.merchantId, own]]), null);
    const accounts = await loadAccounts(context.tx, new AccountIds(2), [{ merchant: merchant.id, customerId, part: partition }]);
    const state = accounts[0];
    if (state === undefined) throw new Error(`customer ${customerId} was not made`);
    work.add(state);
    return { work, own, state, held: work.held(merchant, partition, context.progress.get(partition)?.nextOffset ?? 0) };
  }

  async function run(
    context: CommandContext,
    command: RedemptionCommand,
    opened: Opened,
    { kind, id, orderId, given }: Named,
    prepare: (need: CustomerNeed) => void,
    decide: (posting: Posting, order: NamedOrder | null, opened: Opened) => Redemption | RedemptionRefusal,
  ): Promise<Redemption | RedemptionRefusal> {
    const { work, own, state, held } = opened;
    const need = customerNeed(state, held, command.at);
    if (orderId !== null) need.orderIds.add(orderId);
    prepare(need);
    const [orders] = await Promise.all([
      orderId === null ? null : book.loadOrders(context.tx, [{ merchant: own.merchant.id, orderId }]),
      loadCustomers(context.tx, [need], (_merchant, campaign) => own.campaigns.campaignId(campaign)),
    ]);
    const booked = orderId === null ? undefined : orders?.find(own.merchant.id, orderId);
    const named = booked === undefined || booked.order.place.acct !== state.customer.acct ? null : refundedOrder(booked, own).order;
    const { known } = state;
    const posting = work.begin(state, held, command.at, { requestId: id });
    const result = decide(posting, named, opened);
    // A refused command moves the last as-of but makes nobody known.
    if (typeof result === "string") state.known = known;
    const detail = { id, ...given, ...outcomeOf(kind, result) };
    context.applied({ partition: command.partition, kind, customer: state.customer.acct, asOf: posting.asOf, detail });
    await work.save(context);
    for (const notice of work.takeNotices()) context.emit(command.partition, notice);
    return result;
  }

  async function take(context: CommandContext, request: RedemptionRequest, ttlMs: number | null): Promise<Redemption | RedemptionRefusal> {
    const opened = await open(context, request, request.customerId);
    const { redemptionId, amountMinor, orderId } = request;
    const need = (one: CustomerNeed) => void (one.needMinor = amountMinor);
    const given = { amountMinor, orderId, ...(ttlMs === null ? {} : { ttlMs }) };
    const named = { kind: ttlMs === null ? "redeem" : "reserve", id: redemptionId, orderId, given } as const;
    return run(context, request, opened, named, need, (posting, order, { work, state }) => {
      if (amountMinor > state.customer.availableMinor) return "insufficient_balance";
      const wanted = { redemptionId, sequence: work.nextRedemption(request.partition), orderId, amountMinor };
      const redemption = ttlMs === null ? redeem(posting, wanted, order) : reserve(posting, wanted, ttlMs);
      if (typeof redemption !== "string") work.redeemed({ acct: state.customer.acct, merchant: state.merchant, redemption });
      return redemption;
    });
  }

  async function finish(
    context: CommandContext,
    command: RedemptionCommand,
    kind: Kind,
    redemptionId: string,
    orderOf: (row: RedemptionRow) => string | null,
    decide: (posting: Posting, redemption: Redemption, order: NamedOrder | null) => RedemptionRefusal | null,
  ): Promise<Redemption | RedemptionRefusal> {
    const row = await findRedemption(context.tx, command.merchant.id, redemptionId);
    if (row === undefined) return "not_found";
    const owner = await customerOf(context, Number(row.acct));
    const opened = await open(context, command, owner);
    const orderId = orderOf(row);
    return run(
      context,
      command,
      opened,
      { kind, id: redemptionId, orderId, given: kind === "link" ? { orderId } : {} },
      (need) => void need.redemptions.push(row),
      (posting, order, { state }) => {
        const redemption = state.customer.redemptions.get(redemptionId);
        if (redemption === undefined) throw new Error(`redemption ${redemptionId} is not loaded`);
        return decide(posting, redemption, order) ?? redemption;
      },
    );
  }

  return {
    reserve: (context, request, ttlMs) => take(context, request, ttlMs),
    redeem: (context, request) => take(context, request, null),
    commit: (context, command, id) => finish(context, command, "commit", id, (row) => row.order_id, commit),
    release: (context, command, id) =>
      finish(
        context,
        command,
        "release",
        id,
        () => null,
        (posting, redemption) => release(posting, redemption),
      ),
    link: (context, command, id, orderId) =>
      finish(
        context,
        command,
        "link",
        id,
        () => orderId,
        (posting, redemption, order) => link(posting, redemption, orderId, order),
      ),
  };
}

/** A redemption that is made has a number, which orders those that lapse at one moment. */
function outcomeOf(kind: Kind, result: Redemption | RedemptionRefusal) {
  if (typeof result === "string") return { refused: result };
  return kind === "reserve" || kind === "redeem" ? { sequence: result.sequence } : {};
}

async function customerOf({ tx }: CommandContext, acct: number): Promise<string> {
  const rows = await tx.unsafe<{ customer_id: string }[]>(`SELECT customer_id FROM cashback.account WHERE acct = $1`, [acct], {
    prepare: true,
  });
  const found = rows[0];
  if (found === undefined) throw new Error(`account ${acct} is missing`);
  return found.customer_id;
}

/** Where a redemption's customer is: which partition a command must lock. Undefined for an unknown id. */
export async function redemptionPartition(sql: CommandContext["tx"], merchant: number, redemptionId: string): Promise<number | undefined> {
  const rows = await sql.unsafe<{ part: number }[]>(
    `SELECT a.part FROM cashback.redemption p JOIN cashback.account a USING (acct) WHERE p.merchant = $1 AND p.redemption_id = $2`,
    [merchant, redemptionId],
    { prepare: true },
  );
  return rows[0]?.part;
}
