import { type Answer, AnswerError, type CallOptions, Client } from "./client.ts";
import { campaignBody, ladderBody, merchantOf, type StoryMerchant } from "./defaults.ts";
import type { OrderLog } from "./log.ts";
import { type Position, StoryPositions } from "./positions.ts";
import type { Story, StoryCampaign, StoryLadder } from "./story.ts";

/** How events reach the product: all as records of orders.v1, or by POST /v1/orders… what can be said there. */
export type Through = "kafka" | "api";

export interface Surroundings {
  readonly api: string;
  readonly bootstrapKey: string;
  readonly log: OrderLog;
  readonly through: Through;
}

export interface Redemption {
  readonly redemptionId: string;
  readonly customerId: string;
  readonly orderId: string | undefined;
  readonly amountMinor: number;
  /** In ms; Infinity once it is committed. */
  expiresAt: number;
  /** Neither released nor refused. */
  isOpen: boolean;
}

const settleSeconds = 60;

/** One story's merchant in the product, with what the player must remember of what was done. */
export class Session {
  readonly positions = new StoryPositions();
  /** By the story's ids. */
  readonly redemptions = new Map<string, Redemption>();
  /** Of the orders sent so far. */
  readonly orderIds = new Set<string>();
  /** The highest time that any step has named: no customer's last as-of is above it. */
  latestMs = 0;
  /** Since the last expectation. */
  refusals: string[] = [];
  previews: unknown[] = [];
  readonly surroundings: Surroundings;
  readonly merchant: StoryMerchant & { readonly merchantId: string };
  /** Without a merchant: opens only what belongs to none. */
  readonly bootstrap: Client;
  private readonly owner: Client;
  private readonly actors = new Map<string, Promise<Client>>();
  private readonly campaignVersions = new Map<string, number>();
  /** Campaigns of which the product has one version more than the story. */
  private readonly endedFromStart = new Set<string>();
  private ladderVersion = 0;
  private readonly unsettled = new Map<number, number>();
  private hasCommands = false;

  private constructor(surroundings: Surroundings, merchant: Session["merchant"], bootstrap: Client, owner: Client) {
    this.surroundings = surroundings;
    this.merchant = merchant;
    this.bootstrap = bootstrap;
    this.owner = owner;
  }

  /** Makes the merchant of a story with its ladder and campaigns, as of `now`. */
  static async open(story: Story, surroundings: Surroundings, now: string): Promise<Session> {
    const { api, bootstrapKey } = surroundings;
    const settings = merchantOf(story);
    const bootstrap = new Client(api, { "x-api-key": bootstrapKey });
    const body = { name: `Story ${story.id}`, ...settings, clock: "manual" };
    const made = await bootstrap.call<{ merchantId: string; apiKey: string }>("POST", "/v1/merchants", [201], { body });
    const owner = new Client(api, { "x-api-key": made.apiKey });
    const session = new Session(surroundings, { ...settings, merchantId: made.merchantId }, bootstrap, owner);
    if (story.ladder) await session.putLadder(story.ladder, undefined, now);
    for (const campaign of story.campaigns ?? []) await session.putCampaign(campaign, now);
    return session;
  }

  /** The API as this actor; without one as the merchant's first key. */
  async as(actor: string | undefined): Promise<Client> {
    if (actor === undefined) return this.owner;
    const { api } = this.surroundings;
    const signIn = async () => {
      const body = { merchantId: this.merchant.merchantId, role: "operator", sub: actor };
      const { token } = await new Client(api, {}).call<{ token: string }>("POST", "/v1/dev/sign-in", [200, 201], { body });
      return new Client(api, { authorization: `Bearer ${token}` });
    };
    const client = this.actors.get(actor) ?? signIn();
    this.actors.set(actor, client);
    return client;
  }

  get client(): Client {
    return this.owner;
  }

  async putLadder(ladder: StoryLadder, apply: string | undefined, now: string): Promise<void> {
    const options = { body: ladderBody(ladder), headers: this.ifLadder(), now };
    const query = apply === undefined ? "" : `?apply=${apply}`;
    const { version } = await this.owner.call<{ version: number }>("PUT", `/v1/tiers${query}`, [200], options);
    this.ladderVersion = version;
    this.hasCommands = true;
  }

  async preview(ladder: StoryLadder, apply: string | undefined, now: string): Promise<void> {
    const options = { body: ladderBody(ladder), headers: this.ifLadder(), now };
    const query = apply === undefined ? "" : `&apply=${apply}`;
    this.previews.push(await this.owner.call("PUT", `/v1/tiers?preview=true${query}`, [200], options));
  }

  private ifLadder() {
    return { "if-match": `"${this.ladderVersion}"` };
  }

  async putCampaign(campaign: StoryCampaign, now: string): Promise<void> {
    const { id } = campaign;
    const { status, ...definition } = campaignBody(campaign);
    this.hasCommands = true;
    if (this.campaignVersions.has(id)) {
      // A campaign cannot become a draft: one that is a draft stays it when an edit does not say.
      await this.patchCampaign(id, status === "draft" ? definition : { ...definition, status }, now);
      return;
    }
    // None begins as ended.
    const body = { id, ...definition, status: status === "ended" ? "draft" : status };
    const { version } = await this.owner.call<{ version: number }>("POST", "/v1/campaigns", [201], { body, now });
    this.campaignVersions.set(id, version);
    if (status !== "ended") return;
    await this.patchCampaign(id, { status }, now);
    this.endedFromStart.add(id);
  }

  /** The version of a campaign as the story counts them. */
  storyVersion(campaignId: string, version: number): number {
    return this.endedFromStart.has(campaignId) ? Math.max(1, version - 1) : version;
  }

  private async patchCampaign(id: string, body: object, now: string): Promise<void> {
    const headers = { "if-match": `"${this.campaignVersions.get(id)}"` };
    const path = `/v1/campaigns/${encodeURIComponent(id)}`;
    const { version } = await this.owner.call<{ version: number }>("PATCH", path, [200], { body, headers, now });
    this.campaignVersions.set(id, version);
  }

  /**
   * A command that may be refused: the answer's body, or null after a 404 or 409, which is noted under `name`. Any other answer
   * throws AnswerError.
   */
  async command<T>(client: Client, name: string, method: string, path: string, options: CallOptions): Promise<T | null> {
    await this.settleEvents();
    this.hasCommands = true;
    const { status, body }: Answer = await client.send(method, path, options);
    if (status >= 200 && status < 300) return body as T;
    const { code } = (body ?? {}) as { code?: string };
    if ((status !== 404 && status !== 409) || code === undefined)
      throw new AnswerError(`${method} ${path}: ${status} ${JSON.stringify(body)}`);
    this.refusals.push(`${name} ${code}`);
    return null;
  }

  /** An event of the story was acknowledged there. */
  sent(position: Position): void {
    this.positions.add(position);
    this.unsettled.set(position.partition, position.offset);
  }

  /** Waits for what other partitions still have to handle: a story has one order, partitions among each other have none. */
  async settleOthers(partition: number): Promise<void> {
    if ([...this.unsettled.keys()].some((other) => other !== partition)) await this.settle();
  }

  /** Waits for the events sent so far: a command holds from where the programs then are. */
  async settleEvents(): Promise<void> {
    if (this.unsettled.size > 0) await this.settle();
  }

  /** Waits for all that was done so far. */
  async settleAll(): Promise<void> {
    if (this.unsettled.size > 0 || this.hasCommands) await this.settle();
  }

  private async settle(): Promise<void> {
    const positions = [...this.unsettled].map(([partition, offset]) => ({ partition, offset }));
    await this.owner.call("POST", "/v1/dev/settle", [200], { body: { positions, timeoutSeconds: settleSeconds } });
    this.unsettled.clear();
    this.hasCommands = false;
  }
}
