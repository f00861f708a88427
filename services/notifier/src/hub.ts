import type { JsonRecord, RecordDecoder } from "@perkstream/contracts";
import { customerKey, type Ack, type Cursor, type Customer } from "@perkstream/inbox";
import type { Log } from "./log.ts";
import { randomUUID } from "node:crypto";
import type { Client, Socket } from "./client.ts";
import type { ConnectionRow } from "./cluster/statements.ts";
import { handOver, type InboxReader, type LivePlace } from "./hand-over.ts";
import type { Limits } from "./limits.ts";
import type { NotifierMetrics } from "./metrics.ts";
import { noteOf } from "./notes.ts";
import type { OnlineCustomers } from "./online.ts";
import { closeCodes, type CloseReason } from "./protocol/close.ts";
import { Connection, type Effect } from "./protocol/connection.ts";
import { serverFrames } from "./protocol/frames.ts";
import type { CustomerClaims, Tokens } from "./tokens.ts";

export interface HubOptions {
  readonly limits: Limits;
  readonly tokens: Tokens;
  readonly online: OnlineCustomers<Client>;
  readonly inbox: InboxReader;
  readonly live: LivePlace;
  readonly decoder: RecordDecoder<JsonRecord>;
  /** The partition of notifications.v1 that holds everything of a key. */
  readonly partitionOf: (key: string) => number;
  readonly acknowledge: (ack: Ack) => void;
  /** A connection was welcomed; it counts from now on. */
  readonly onWelcome: (row: ConnectionRow) => void;
  /** A welcomed connection has gone. */
  readonly onGone: (session: string) => void;
  readonly metrics: NotifierMetrics;
  readonly log: Log;
}

export interface ConnectionInfo {
  readonly session: string;
  readonly device: string;
  /** ms since 1970 */
  readonly since: number;
}

/** The connections of this process: runs what they want, and brings them what comes. */
export class Hub {
  readonly #options: HubOptions;
  readonly #clients = new Set<Client>();

  constructor(options: HubOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#clients.size;
  }

  /** A socket was opened with a token that holds. */
  open(socket: Socket, claims: CustomerClaims): Client {
    const customer: Customer = { merchant: claims.merchant, customerId: claims.customerId };
    const key = customerKey(customer);
    const identity = {
      session: randomUUID(),
      key,
      partition: this.#options.partitionOf(key),
      expiresAt: claims.expiresAt,
      openedAt: performance.now(),
    };
    const client: Client = { connection: new Connection(identity, this.#options.limits), socket, customer, since: 0, onDrain: null };
    this.#clients.add(client);
    this.#options.metrics.connections.set(this.#clients.size);
    return client;
  }

  frame(client: Client, text: string | null, bytes: number): void {
    this.#options.metrics.framesIn.inc();
    this.#run(client, client.connection.frame(text, bytes, performance.now()));
  }

  drained(client: Client): void {
    client.onDrain?.();
  }

  /** The socket is closed, whoever closed it. */
  gone(client: Client): void {
    client.connection.closed();
    this.#options.online.remove(client.connection.identity.key, client);
    if (this.#clients.delete(client)) {
      this.#options.metrics.connections.set(this.#clients.size);
      if (client.since > 0) this.#options.onGone(client.connection.identity.session);
    }
    client.onDrain?.();
  }

  /** A new record of the live path: encoded once, however many connections get it. */
  deliver(partition: number, offset: number, key: Buffer | null, value: Buffer | null): void {
    const { online, decoder, metrics } = this.#options;
    if (key === null || online.customers === 0) return;
    const customer = online.find(key.toString("utf8"));
    if (customer === undefined) return;
    const note = noteOf(decoder, partition, offset, value);
    if (note === null || !customer.takeId(note.id)) return;
    for (const client of customer.connections) {
      // A key in a partition that is not its own has no place in the order of cursors.
      if (client.connection.identity.partition !== partition) continue;
      this.#run(client, client.connection.note(offset, note.frame));
      metrics.notes.inc();
    }
  }

  /** An acknowledgement moved: the customer's other connections are told. */
  read(ack: Ack): void {
    const customer = this.#options.online.find(customerKey(ack));
    for (const client of customer?.connections ?? []) {
      const { session, partition } = client.connection.identity;
      if (session !== ack.origin && partition === ack.partition) this.#run(client, client.connection.read(ack.offset));
    }
  }

  /** The live path lost its place in a partition. */
  lost(partition: number): void {
    for (const client of this.#clients) if (client.connection.identity.partition === partition) this.close(client, "restart");
  }

  /** Expired tokens and missing hellos; called several times a second. */
  tick(): void {
    const [now, at] = [Date.now(), performance.now()];
    for (const client of this.#clients) this.#run(client, client.connection.tick(now, at));
  }

  close(client: Client, reason: CloseReason): void {
    this.#run(client, client.connection.close(reason));
  }

  /** Connections of a customer that were welcomed here, oldest first. */
  connectionsOf(customer: Customer): ConnectionInfo[] {
    return this.#welcomed(customerKey(customer)).map(({ connection, since }) => ({
      session: connection.identity.session,
      device: connection.device,
      since,
    }));
  }

  /** Closes all connections of a customer here that were opened by then (monotonic clock), welcomed or not. */
  disconnect(customer: Customer, openedBy: number): number {
    const key = customerKey(customer);
    const closing = [...this.#clients].filter(({ connection: { identity } }) => identity.key === key && identity.openedAt <= openedBy);
    for (const client of closing) this.close(client, "disconnected");
    return closing.filter((client) => client.since > 0).length;
  }

  /** Closes one connection, as one too many. */
  evict(session: string): void {
    for (const client of this.#clients) if (client.connection.identity.session === session) return this.close(client, "too_many_devices");
  }

  /** Every welcomed connection, oldest first. */
  all(): ConnectionRow[] {
    return [...this.#clients]
      .filter((client) => client.since > 0)
      .sort((a, b) => a.since - b.since)
      .map(rowOf);
  }

  /** Says bye and closes with 1012, in slices over `drainMs`. */
  async drain(drainMs: number): Promise<void> {
    const slices = Math.max(1, Math.min(20, Math.ceil(this.#clients.size / 50)));
    const retryMs = [Math.min(200, drainMs), Math.max(1_000, drainMs)] as const;
    for (let left = slices; left > 0 && this.#clients.size > 0; left--) {
      for (const client of [...this.#clients].slice(0, Math.ceil(this.#clients.size / left))) {
        if (client.connection.online) client.socket.send(serverFrames.bye(retryMs));
        this.close(client, "restart");
      }
      if (left > 1) await new Promise((resolve) => setTimeout(resolve, drainMs / slices));
    }
  }

  #welcomed(key: string): Client[] {
    const connections = [...(this.#options.online.find(key)?.connections ?? [])];
    return connections.filter((client) => client.since > 0).sort((a, b) => a.since - b.since);
  }

  #run(client: Client, effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.do === "send") this.#send(client, effect.frame);
      else if (effect.do === "close") this.#close(client, effect.reason);
      else if (effect.do === "join") void this.#join(client, effect.cursor);
      else if (effect.do === "verify") void this.#verify(client, effect.token);
      else this.#acknowledge(client, effect.offset);
    }
  }

  #send(client: Client, frame: string): void {
    client.socket.send(frame);
    if (client.socket.buffered() > this.#options.limits.sendBufferBytes / 2) this.close(client, "too_slow");
  }

  #close(client: Client, reason: CloseReason): void {
    this.#options.metrics.closes.inc({ reason });
    client.socket.close(closeCodes[reason], reason);
    this.gone(client);
  }

  #acknowledge(client: Client, offset: number): void {
    const { session, partition } = client.connection.identity;
    this.#options.acknowledge({ ...client.customer, partition, offset, origin: session });
  }

  async #verify(client: Client, token: string): Promise<void> {
    const claims = await this.#options.tokens.customer(token);
    this.#run(client, client.connection.verified(claims === null ? null : { key: customerKey(claims), expiresAt: claims.expiresAt }));
  }

  async #join(client: Client, cursor: Cursor | null): Promise<void> {
    const { online, live, metrics, log, inbox, decoder, limits } = this.#options;
    const { key, partition } = client.connection.identity;
    const endTimer = metrics.handOver.startTimer();
    // In one step: from here on live notes are held, and L says where they begin.
    online.add(key, client);
    const liveNext = live.next(partition);
    const run = (who: Client, effects: readonly Effect[]) => this.#run(who, effects);
    const onWelcome = (who: Client) => this.#welcome(who);
    const onOutage = (error: unknown) => log.warn({ err: error, partition }, "what was missed could not be read");
    const reason = await handOver({ inbox, live, decoder, limits, run, onWelcome, onOutage }, client, cursor, liveNext);
    endTimer();
    if (reason !== null) {
      log.debug({ session: client.connection.identity.session, reason }, "hand-over not done");
      this.close(client, reason);
    }
  }

  #welcome(client: Client): void {
    if (!client.connection.online) return;
    client.since = Date.now();
    this.#options.onWelcome(rowOf(client));
    const all = this.#welcomed(client.connection.identity.key);
    for (const oldest of all.slice(0, Math.max(0, all.length - this.#options.limits.devices))) this.close(oldest, "too_many_devices");
  }
}

function rowOf({ customer, connection, since }: Client): ConnectionRow {
  return { ...customer, session: connection.identity.session, device: connection.device, since };
}
