import type { Customer } from "@perkstream/inbox";
import type { Sql } from "@perkstream/postgres";
import { randomUUID } from "node:crypto";
import { setTimeout as after } from "node:timers/promises";
import { Draining } from "../draining.ts";
import type { Presence } from "../http/admin.ts";
import type { ConnectionInfo } from "../hub.ts";
import type { Log } from "../log.ts";
import {
  admit,
  commandChannel,
  connectionsElsewhere,
  insertConnections,
  openCommands,
  readResults,
  removeConnections,
  removeDead,
  removeInstance,
  renewLease,
  sendCommand,
  storeResults,
  type Command,
  type ConnectionRow,
} from "./statements.ts";

/** The sockets of this process. */
export interface LocalConnections {
  connectionsOf(customer: Customer): readonly ConnectionInfo[];
  /** Of those that were opened by then, on the monotonic clock. */
  disconnect(customer: Customer, openedBy: number): number;
  evict(session: string): void;
  /** Every welcomed connection, oldest first. */
  all(): readonly ConnectionRow[];
}

const heartbeatMs = 1_000;
const retryMs = 500;
const batchSize = 500;
/** As long as a lease: an instance that has not answered by then is not there. */
const answerWaitMs = 5_000;
const answerPollMs = 15;

type Change = { readonly joined: ConnectionRow } | { readonly left: string };

/**
 * What instances tell each other through Postgres. Without Postgres sockets go on: presence and disconnect know this
 * instance only, the device limit holds here, and when it is back everything is said again.
 *
 *   welcome, gone ─► changes, in order ─► rows ─► too many devices? ─► own: close · another's: command
 *   every second ──► lease renewed ─► was it lost? all rows anew ─► open commands, results
 *   NOTIFY ────────► open commands, results
 */
export class Cluster implements Presence {
  readonly #instance = randomUUID();
  readonly #sql: Sql;
  readonly #local: LocalConnections;
  readonly #devices: number;
  readonly #log: Log;
  readonly #changes: Change[] = [];
  readonly #writing = new Draining(
    () => this.#hasToWrite,
    () => this.#write(),
  );
  #heard = false;
  readonly #obeying = new Draining(
    () => this.#heard && !this.#stopped,
    () => this.#obey(),
  );
  #beating: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #unlisten: (() => Promise<void>) | null = null;
  #stopped = false;
  /** The rows of this instance may be incomplete. */
  #lost = false;

  constructor(sql: Sql, local: LocalConnections, devices: number, log: Log) {
    this.#sql = sql;
    this.#local = local;
    this.#devices = devices;
    this.#log = log;
  }

  async start(): Promise<void> {
    await renewLease(this.#sql, this.#instance);
    const { unlisten } = await this.#sql.listen(commandChannel, () => this.#obeySoon());
    this.#unlisten = unlisten;
    this.#timer = setInterval(() => {
      this.#beating ??= this.#beat().finally(() => (this.#beating = null));
    }, heartbeatMs);
  }

  joined(row: ConnectionRow): void {
    this.#change({ joined: row });
  }

  left(session: string): void {
    this.#change({ left: session });
  }

  async connectionsOf(customer: Customer): Promise<readonly ConnectionInfo[]> {
    const here = this.#local.connectionsOf(customer);
    const elsewhere = await connectionsElsewhere(this.#sql, this.#instance, customer).catch((error: unknown) => {
      this.#log.warn({ err: error }, "presence of other instances is not known");
      return [];
    });
    return [...here, ...elsewhere].sort((a, b) => a.since - b.since);
  }

  async disconnect(customer: Customer): Promise<number> {
    const here = this.#local.disconnect(customer, performance.now());
    const command: Command = { ...customer, id: randomUUID(), session: null };
    try {
      // Together: this instance hears of the command as well, and must find that it has answered already.
      await this.#sql.begin(async (tx) => {
        await sendCommand(tx, command);
        await storeResults(tx, this.#instance, [{ command: command.id, closed: here }]);
      });
      const deadline = performance.now() + answerWaitMs;
      for (;;) {
        const { closed, missing } = await readResults(this.#sql, command.id);
        if (missing === 0 || performance.now() > deadline) return Math.max(here, closed);
        await after(answerPollMs);
      }
    } catch (error) {
      this.#log.warn({ err: error }, "other instances were not told to disconnect");
      return here;
    }
  }

  /** Writes what waits, then leaves. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await Promise.all([this.#writing.idle(), this.#obeying.idle(), this.#beating]);
    await this.#unlisten?.().catch(() => {});
    await removeInstance(this.#sql, this.#instance).catch(() => {}); // the lease ends by itself
  }

  #change(change: Change): void {
    this.#changes.push(change);
    this.#writing.wake();
  }

  get #hasToWrite(): boolean {
    return this.#changes.length > 0 || (this.#lost && !this.#stopped);
  }

  async #write(): Promise<void> {
    while (this.#hasToWrite) {
      try {
        if (this.#lost && !this.#stopped) await this.#sayAll();
        await this.#writeBatch(this.#changes.splice(0, batchSize));
      } catch (error) {
        // All rows are written anew when Postgres is back; what waits would only grow.
        this.#changes.length = 0;
        if (this.#stopped) return;
        this.#lost = true;
        this.#log.warn({ err: error }, "other instances are not told of connections");
        await after(retryMs);
      }
    }
  }

  async #writeBatch(batch: readonly Change[]): Promise<void> {
    const left = new Set(batch.flatMap((change) => ("left" in change ? [change.left] : [])));
    const joined = batch.flatMap((change) => ("joined" in change && !left.has(change.joined.session) ? [change.joined] : []));
    if (left.size > 0) await removeConnections(this.#sql, [...left]);
    if (joined.length === 0) return;
    for (const { instance, session, merchant, customerId } of await admit(this.#sql, this.#instance, joined, this.#devices)) {
      if (instance === this.#instance) this.#local.evict(session);
      else await sendCommand(this.#sql, { id: randomUUID(), merchant, customerId, session });
    }
  }

  /**
   * Rows of this instance, all of them: after an outage, or when its lease was lost. Only ever between two batches: beside one, a
   * connection that goes meanwhile could be removed before it is said.
   */
  async #sayAll(): Promise<void> {
    await this.#sql.begin(async (tx) => {
      await removeInstance(tx, this.#instance);
      await renewLease(tx, this.#instance);
      await insertConnections(tx, this.#instance, this.#local.all());
    });
    this.#lost = false;
  }

  async #beat(): Promise<void> {
    try {
      const known = await renewLease(this.#sql, this.#instance);
      if (!known) this.#lost = true;
      this.#writing.wake();
      await removeDead(this.#sql);
      this.#obeySoon();
    } catch (error) {
      this.#log.warn({ err: error }, "the instance's lease is not renewed");
    }
  }

  #obeySoon(): void {
    this.#heard = true;
    this.#obeying.wake();
  }

  async #obey(): Promise<void> {
    while (this.#heard && !this.#stopped) {
      this.#heard = false;
      try {
        const commands = await openCommands(this.#sql, this.#instance);
        const now = performance.now();
        const results = commands.map((command) => ({ command: command.id, closed: this.#carryOut(command, now - command.ageMs) }));
        await storeResults(this.#sql, this.#instance, results);
      } catch (error) {
        this.#log.warn({ err: error }, "commands of other instances wait");
      }
    }
  }

  /** Late, or once more after an outage, it is not about connections that were opened since. */
  #carryOut({ merchant, customerId, session }: Command, givenAt: number): number {
    if (session === null) return this.#local.disconnect({ merchant, customerId }, givenAt);
    this.#local.evict(session);
    return 0;
  }
}
