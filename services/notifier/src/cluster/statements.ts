import type { Customer } from "@perkstream/inbox";
import { arrayLiteral, textsLiteral, insertSet, type Sql, type Tx } from "@perkstream/postgres";

export const commandChannel = "perkstream_notifier";
const leaseSeconds = 5;
const commandSeconds = 60;

export interface ConnectionRow extends Customer {
  readonly session: string;
  readonly device: string;
  /** ms since 1970 */
  readonly since: number;
}

/** Close all connections of the customer, or only `session`. */
export interface Command extends Customer {
  readonly id: string;
  readonly session: string | null;
}

/** Renews the lease. @returns false when the row (and with it the connections) was not there: all must be said again */
export async function renewLease(sql: Sql | Tx, instance: string): Promise<boolean> {
  const [row] = await sql<{ known: boolean }[]>`
    INSERT INTO notifier.instance AS i (id, lease_until) VALUES (${instance}::uuid, now() + make_interval(secs => ${leaseSeconds}))
    ON CONFLICT (id) DO UPDATE SET lease_until = EXCLUDED.lease_until RETURNING xmax <> 0 AS known`;
  return row?.known === true;
}

/** Takes away what instances left whose lease has passed, and old commands. */
export async function removeDead(sql: Sql): Promise<void> {
  await sql`DELETE FROM notifier.instance WHERE lease_until < now()`;
  await sql`DELETE FROM notifier.command WHERE created_at < now() - make_interval(secs => ${commandSeconds})`;
}

export async function removeInstance(sql: Sql | Tx, instance: string): Promise<void> {
  await sql`DELETE FROM notifier.instance WHERE id = ${instance}::uuid`;
}

const connectionColumns = {
  session: "uuid",
  instance: "uuid",
  merchant: "uuid",
  customer_id: "text",
  device: "text",
  since: "timestamptz",
} as const;

/** Stores connections in the order of their welcomes, again if need be. */
export async function insertConnections(sql: Sql | Tx, instance: string, rows: readonly ConnectionRow[]): Promise<void> {
  const values = rows.map(({ session, merchant, customerId, device, since }) => ({
    session,
    instance,
    merchant,
    customer_id: customerId,
    device,
    since,
  }));
  await insertSet(sql, "notifier.connection", connectionColumns, values, "ON CONFLICT (session) DO NOTHING");
}

export async function removeConnections(sql: Sql, sessions: readonly string[]): Promise<void> {
  await sql.unsafe("DELETE FROM notifier.connection WHERE session = ANY($1::uuid[])", [arrayLiteral(sessions)], { prepare: true });
}

/**
 * Stores welcomed connections and judges the device limit from the rows of all live instances, under a lock per
 * customer, so that two instances that welcome at once do not both count one too few.
 * @returns the connections that are too many, the oldest of each customer
 */
export async function admit(
  sql: Sql,
  instance: string,
  rows: readonly ConnectionRow[],
  limit: number,
): Promise<(Customer & { session: string; instance: string })[]> {
  const keys = [...new Set(rows.map((row) => `${row.merchant}:${row.customerId}`))].sort();
  const literal = textsLiteral(keys);
  const excess = await sql.begin(async (tx) => {
    await tx.unsafe(
      "SELECT pg_advisory_xact_lock(hashtextextended(k, 0)) FROM (SELECT k FROM unnest($1::text[]) k ORDER BY hashtextextended(k, 0)) s",
      [literal],
      { prepare: true },
    );
    await insertConnections(tx, instance, rows);
    return tx.unsafe<{ merchant: string; customer_id: string; session: string; instance: string }[]>(
      `SELECT merchant, customer_id, session, instance FROM (
         SELECT c.merchant, c.customer_id, c.session, c.instance, row_number() OVER (PARTITION BY c.merchant, c.customer_id ORDER BY c.n DESC) AS place
         FROM unnest($1::text[]) k
         JOIN notifier.connection c ON c.merchant = left(k, 36)::uuid AND c.customer_id = substr(k, 38)
         JOIN notifier.instance i ON i.id = c.instance AND i.lease_until > now()) r
       WHERE place > $2`,
      [literal, limit],
      { prepare: true },
    );
  });
  return excess.map(({ merchant, customer_id, session, instance: at }) => ({ merchant, customerId: customer_id, session, instance: at }));
}

/** Connections of a customer at other live instances, oldest first. */
export async function connectionsElsewhere(
  sql: Sql,
  instance: string,
  customer: Customer,
): Promise<{ session: string; device: string; since: number }[]> {
  const rows = await sql<{ session: string; device: string; since: Date }[]>`
    SELECT c.session, c.device, c.since FROM notifier.connection c JOIN notifier.instance i ON i.id = c.instance
    WHERE c.merchant = ${customer.merchant}::uuid AND c.customer_id = ${customer.customerId}
      AND c.instance <> ${instance}::uuid AND i.lease_until > now() ORDER BY c.n`;
  return rows.map(({ session, device, since }) => ({ session, device, since: since.getTime() }));
}

/** Stores a command and announces it. */
export async function sendCommand(sql: Sql | Tx, { id, merchant, customerId, session }: Command): Promise<void> {
  await sql`
    WITH sent AS (
      INSERT INTO notifier.command (id, merchant, customer_id, session)
      VALUES (${id}::uuid, ${merchant}::uuid, ${customerId}, ${session}::uuid) RETURNING id)
    SELECT pg_notify(${commandChannel}, '') FROM sent`;
}

/** Commands that this instance has not carried out, or not said so, and how long ago each was given, ms. */
export async function openCommands(sql: Sql, instance: string): Promise<(Command & { readonly ageMs: number })[]> {
  const rows = await sql<{ id: string; merchant: string; customer_id: string; session: string | null; age_ms: number }[]>`
    SELECT c.id, c.merchant, c.customer_id, c.session, (extract(epoch FROM clock_timestamp() - c.created_at) * 1000)::float8 AS age_ms
    FROM notifier.command c
    WHERE NOT EXISTS (SELECT FROM notifier.command_result r WHERE r.command = c.id AND r.instance = ${instance}::uuid)`;
  return rows.map(({ id, merchant, customer_id, session, age_ms }) => ({ id, merchant, customerId: customer_id, session, ageMs: age_ms }));
}

export async function storeResults(
  sql: Sql | Tx,
  instance: string,
  results: readonly { readonly command: string; readonly closed: number }[],
): Promise<void> {
  const rows = results.map(({ command, closed }) => ({ command, instance, closed }));
  await insertSet(sql, "notifier.command_result", { command: "uuid", instance: "uuid", closed: "int4" }, rows, "ON CONFLICT DO NOTHING");
}

/** What the instances have answered so far, and how many live ones have not. */
export async function readResults(sql: Sql, command: string): Promise<{ closed: number; missing: number }> {
  const [row] = await sql<{ closed: number; missing: number }[]>`
    SELECT coalesce((SELECT sum(closed) FROM notifier.command_result WHERE command = ${command}::uuid), 0)::int4 AS closed,
      (SELECT count(*) FROM notifier.instance i WHERE i.lease_until > now()
        AND NOT EXISTS (SELECT FROM notifier.command_result r WHERE r.command = ${command}::uuid AND r.instance = i.id))::int4 AS missing`;
  return row ?? { closed: 0, missing: 0 };
}
