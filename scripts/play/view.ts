import type {
  CapAnswer,
  CountsAnswer,
  CustomerAnswer,
  DeadLetterAnswer,
  HistoryAnswer,
  LotAnswer,
  NoteAnswer,
  OrderAnswer,
  RedemptionAnswer,
  StatsAnswer,
  TransferAnswer,
} from "./answers.ts";
import { AnswerError } from "./client.ts";
import { isId } from "./send-event.ts";
import type { Session } from "./session.ts";
import type { Story } from "./story.ts";

/** Dead letters of no merchant are everybody's: the newest pages are looked through. */
const foreignPages = 5;

/** What the product shows at one moment; each thing is read once. */
export class View {
  private readonly session: Session;
  private readonly story: Story;
  private readonly now: string;
  private readonly reads = new Map<string, Promise<unknown>>();

  constructor(session: Session, story: Story, now: string) {
    this.session = session;
    this.story = story;
    this.now = now;
  }

  customer(customerId: string): Promise<CustomerAnswer | null> {
    return this.find(customerPath(customerId));
  }

  async history(customerId: string): Promise<HistoryAnswer[]> {
    return (await this.list<HistoryAnswer>(`${customerPath(customerId)}/tier-history`)).toReversed();
  }

  order(orderId: string): Promise<OrderAnswer | null> {
    return this.find(`/v1/orders/${encodeURIComponent(orderId)}`);
  }

  redemption(id: string): Promise<RedemptionAnswer | null> {
    const redemption = this.session.redemptions.get(id);
    return redemption === undefined ? Promise.resolve(null) : this.find(`/v1/redemptions/${redemption.redemptionId}`);
  }

  stats(campaignId: string): Promise<StatsAnswer | null> {
    return this.find(`/v1/campaigns/${encodeURIComponent(campaignId)}/stats`);
  }

  caps(customerId: string): Promise<CapAnswer[]> {
    return this.list(`${customerPath(customerId)}/caps`);
  }

  async counts(): Promise<CountsAnswer> {
    const counts = await this.find<CountsAnswer>("/v1/dev/counts");
    if (counts === null) throw new AnswerError("GET /v1/dev/counts: 404");
    return counts;
  }

  /** By customer, in the order of their ids. */
  customers(): Promise<CustomerAnswer[]> {
    return this.list("/v1/customers");
  }

  lots(customerId: string): Promise<LotAnswer[]> {
    return this.list(`${customerPath(customerId)}/lots`);
  }

  transfers(customerId: string): Promise<TransferAnswer[]> {
    return this.list(`${customerPath(customerId)}/transfers`);
  }

  /** Newest first. */
  notes(customerId: string): Promise<NoteAnswer[]> {
    return this.list(`${customerPath(customerId)}/notifications`);
  }

  /** Of the story's events, each program's own. */
  async deadLetters(): Promise<DeadLetterAnswer[]> {
    const own = await this.list<DeadLetterAnswer>("/v1/dead-letters");
    const foreign = await this.session.bootstrap.list<DeadLetterAnswer>("/v1/dead-letters?merchant=none", this.now, foreignPages);
    return [...own, ...(foreign ?? [])].filter((letter) => letter.topic === "orders.v1" && this.session.positions.has(letter));
  }

  /** Something of every customer that the merchant's list has, with whose it is. */
  async ofAll<T>(read: (customerId: string) => Promise<readonly T[]>): Promise<{ customerId: string; row: T }[]> {
    const customers = await this.customers();
    const rows = customers.map(async ({ customerId }) => (await read(customerId)).map((row) => ({ customerId, row })));
    return (await Promise.all(rows)).flat();
  }

  /** All that the story names and the product knows. */
  async orders(): Promise<OrderAnswer[]> {
    const ids = new Set<string>();
    for (const { event, copies } of this.story.steps) {
      if (event === undefined) continue;
      if (copies === undefined) ids.add(event.orderId);
      else for (let n = 1; n <= copies; n += 1) ids.add(`${event.orderId}-${n}`);
    }
    const orders = await Promise.all([...ids].filter(isId).map((id) => this.order(id)));
    return orders.filter((order) => order !== null);
  }

  private find<T>(path: string): Promise<T | null> {
    return this.once(path, () => this.session.client.find<T>(path, this.now));
  }

  /** Nothing for an unknown customer. */
  private async list<T>(path: string): Promise<T[]> {
    return (await this.once(path, () => this.session.client.list<T>(path, this.now))) ?? [];
  }

  private once<T>(path: string, read: () => Promise<T>): Promise<T> {
    const known = this.reads.get(path) as Promise<T> | undefined;
    const reading = known ?? read();
    this.reads.set(path, reading);
    return reading;
  }
}

const customerPath = (customerId: string) => `/v1/customers/${encodeURIComponent(customerId)}`;
