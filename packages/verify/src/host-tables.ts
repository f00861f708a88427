import type { Difference, Fields, Problem, ProgramName, Report, Thing, Where } from "./difference.ts";
import type { Snapshot } from "./snapshot.ts";

/** At most so many rows of one kind are named; how many there are is told with the first. */
const NAMED = 100;

/** A table of a program whose rows belong to an account. */
export interface OwnedTable {
  readonly table: string;
  readonly thing: Thing;
}

/** A look at whole tables: each row of its answer is a difference. */
export interface TableCheck<R extends object> {
  readonly program: ProgramName;
  readonly thing: Thing;
  readonly problem: Problem;
  readonly query: string;
  readonly params?: readonly (string | number)[];
  readonly where: (row: R) => Where;
  readonly expected: (row: R) => Fields | null;
  readonly found: (row: R) => Fields | null;
  readonly note?: string;
}

export async function checkTable<R extends object>(snapshot: Snapshot, report: Report, check: TableCheck<R>): Promise<void> {
  const { program, thing, problem, query, params = [], where, expected, found, note } = check;
  const rows = (await snapshot.tx.unsafe(`${query} LIMIT ${NAMED}`, [...params])) as unknown as readonly R[];
  for (const row of rows) {
    const difference: Difference = { program, thing, problem, where: where(row), expected: expected(row), found: found(row) };
    report.difference(note === undefined ? difference : { ...difference, note });
  }
}

interface PartRow {
  readonly part: number;
}

/**
 * What the host keeps of a program: outbox and steps numbered without a gap, counters that fit what is stored, what waits for its order,
 * and rows whose account is gone.
 */
export async function verifyHostTables(
  snapshot: Snapshot,
  report: Report,
  program: ProgramName,
  topic: string,
  owned: readonly OwnedTable[],
): Promise<void> {
  await verifyOutbox(snapshot, report, program, topic);
  await verifySteps(snapshot, report, program, topic);
  await verifyParked(snapshot, report, program);
  await verifyTally(snapshot, report, program);
  for (const { table, thing } of owned) {
    await checkTable<{ acct: bigint; rows: bigint }>(snapshot, report, {
      program,
      thing,
      problem: "unexpected",
      query: `SELECT t.acct, count(*) AS rows FROM ${program}.${table} t WHERE NOT EXISTS (SELECT FROM ${program}.account a WHERE a.acct = t.acct) GROUP BY 1 ORDER BY 1`,
      where: ({ acct }) => ({ account: Number(acct) }),
      expected: () => null,
      found: ({ rows }) => ({ rows }),
      note: "their account is missing",
    });
  }
}

async function verifyOutbox(snapshot: Snapshot, report: Report, program: ProgramName, topic: string): Promise<void> {
  await checkTable<PartRow & { seq: bigint }>(snapshot, report, {
    program,
    thing: "outbox",
    problem: "missing",
    query: `SELECT p.part, s.seq FROM ${program}.progress p CROSS JOIN LATERAL generate_series(p.published + 1, p.out_seq) AS s(seq)
      WHERE p.topic = $1 AND NOT EXISTS (SELECT FROM ${program}.outbox o WHERE o.part = p.part AND o.seq = s.seq) ORDER BY 1, 2`,
    params: [topic],
    where: ({ part, seq }) => ({ partition: part, sequence: Number(seq) }),
    expected: () => ({ published: false }),
    found: () => null,
    note: "a notification that was numbered is neither published nor waiting to be",
  });
  await checkTable<PartRow & { seq: bigint; out_seq: bigint }>(snapshot, report, {
    program,
    thing: "outbox",
    problem: "unexpected",
    query: `SELECT o.part, o.seq, p.out_seq FROM ${program}.outbox o JOIN ${program}.progress p ON p.part = o.part AND p.topic = $1
      WHERE o.seq > p.out_seq ORDER BY 1, 2`,
    params: [topic],
    where: ({ part, seq }) => ({ partition: part, sequence: Number(seq) }),
    expected: ({ out_seq }) => ({ sequenceAtMost: out_seq }),
    found: ({ seq }) => ({ sequence: seq }),
  });
}

async function verifySteps(snapshot: Snapshot, report: Report, program: ProgramName, topic: string): Promise<void> {
  // Numbers below 1: commands that were stored elsewhere before they came into this table.
  await checkTable<PartRow & { n: bigint }>(snapshot, report, {
    program,
    thing: "applied",
    problem: "missing",
    query: `SELECT g.part, s.n FROM (
        SELECT p.part, p.applied_seq FROM ${program}.progress p WHERE p.topic = $1
          AND p.applied_seq <> (SELECT count(*) FROM ${program}.applied x WHERE x.part = p.part AND x.n > 0)) AS g
      CROSS JOIN LATERAL generate_series(1, g.applied_seq) AS s(n)
      WHERE NOT EXISTS (SELECT FROM ${program}.applied x WHERE x.part = g.part AND x.n = s.n) ORDER BY 1, 2`,
    params: [topic],
    where: ({ part, n }) => ({ partition: part, n: Number(n) }),
    expected: () => ({ stored: true }),
    found: () => null,
    note: "commands, sweeps and edits are numbered without a gap",
  });
  await checkTable<PartRow & { off: bigint; n: bigint; next_off: bigint; applied_seq: bigint }>(snapshot, report, {
    program,
    thing: "applied",
    problem: "unexpected",
    query: `SELECT x.part, x.off, x.n, p.next_off, p.applied_seq FROM ${program}.applied x JOIN ${program}.progress p ON p.part = x.part AND p.topic = $1
      WHERE x.n > p.applied_seq OR x.off > p.next_off ORDER BY 1, 3`,
    params: [topic],
    where: ({ part, n }) => ({ partition: part, n: Number(n) }),
    expected: ({ next_off, applied_seq }) => ({ offsetAtMost: next_off, nAtMost: applied_seq }),
    found: ({ off, n }) => ({ offset: off, n }),
  });
}

async function verifyParked(snapshot: Snapshot, report: Report, program: ProgramName): Promise<void> {
  await checkTable<{ merchant: string; order_id: string; part: number; off: bigint }>(snapshot, report, {
    program,
    thing: "parked",
    problem: "unexpected",
    query: `SELECT m.merchant_id AS merchant, k.order_id, k.part, k.off FROM ${program}.parked k
      JOIN ${program}."order" o USING (merchant, order_id) JOIN merchant.merchant m ON m.id = k.merchant ORDER BY 1, 2`,
    where: ({ merchant, order_id, off }) => ({ merchant, order: order_id, offset: Number(off) }),
    expected: () => null,
    found: ({ part, off }) => ({ partition: part, offset: off }),
    note: "it waits for an order that was counted",
  });
}

/**
 * One record, one place: an order, a refund, parked, a duplicate or a dead letter. Over all partitions of a merchant: what waits for its
 * order may lie in another one.
 */
async function verifyTally(snapshot: Snapshot, report: Report, program: ProgramName): Promise<void> {
  const counted = (table: string, what: string) =>
    `SELECT t.part, m.merchant_id AS scope, '${what}' AS what, t.record_at FROM ${program}.${table} t JOIN merchant.merchant m ON m.id = t.merchant`;
  const records = `WITH records AS MATERIALIZED (
      SELECT part, scope, what, count(*) AS count, max(record_at) AS record_at FROM (
        ${counted('"order"', "record")} UNION ALL ${counted("refund", "record")} UNION ALL ${counted("parked", "parked")}
        UNION ALL SELECT part, scope, 'record', max(record_at) FROM ${program}.dead_letter WHERE scope IS NOT NULL AND redriven_at IS NULL GROUP BY part, scope, off
        UNION ALL SELECT part, scope, 'redriven', record_at FROM ${program}.dead_letter WHERE scope IS NOT NULL AND redriven_at IS NOT NULL) AS r
      GROUP BY 1, 2, 3)`;
  // What a record that was read once more became is not counted anew: then only what waits can be told.
  await checkTable<TallyRow>(snapshot, report, {
    program,
    thing: "tally",
    problem: "changed",
    query: `${records}, sums AS (SELECT scope, coalesce(sum(count) FILTER (WHERE what <> 'redriven'), 0)::int8 AS records,
          coalesce(sum(count) FILTER (WHERE what = 'parked'), 0)::int8 AS waiting, bool_or(what = 'redriven') AS redriven FROM records GROUP BY 1),
        tallies AS (SELECT scope, sum(events)::int8 AS events, sum(duplicates)::int8 AS duplicates, sum(parked)::int8 AS parked FROM ${program}.tally GROUP BY 1)
      SELECT scope, coalesce(s.records, 0) + coalesce(t.duplicates, 0) AS records, coalesce(s.waiting, 0) AS waiting,
        coalesce(t.events, 0) AS events, coalesce(t.parked, 0) AS parked FROM sums s FULL JOIN tallies t USING (scope)
      WHERE coalesce(s.waiting, 0) <> coalesce(t.parked, 0)
        OR (s.redriven IS NOT TRUE AND coalesce(s.records, 0) + coalesce(t.duplicates, 0) <> coalesce(t.events, 0)) ORDER BY 1`,
    where: ({ scope }) => ({ merchant: scope }),
    expected: ({ waiting, ...row }) => ({ events: row.records, parked: waiting }),
    found: ({ events, parked }) => ({ events, parked }),
    note: "every record that was read is an order, a refund, a duplicate, a dead letter, or waits",
  });
  await checkTable<{ part: number; scope: string; seen_at: Date; high_at: Date | null }>(snapshot, report, {
    program,
    thing: "tally",
    problem: "hidden",
    query: `${records} SELECT r.part, r.scope, max(r.record_at) AS seen_at, max(t.high_at) AS high_at FROM records r LEFT JOIN ${program}.tally t USING (part, scope)
      GROUP BY 1, 2 HAVING max(r.record_at) > coalesce(max(t.high_at), to_timestamp(0)) ORDER BY 2, 1`,
    where: ({ part, scope }) => ({ merchant: scope, partition: part }),
    expected: ({ seen_at }) => ({ highAtLeast: seen_at.toISOString() }),
    found: ({ high_at }) => ({ highAt: high_at?.toISOString() ?? null }),
    note: "sweeps go no further than the highest timestamp that was read",
  });
}

interface TallyRow {
  readonly scope: string;
  readonly records: bigint;
  readonly waiting: bigint;
  readonly events: bigint;
  readonly parked: bigint;
}
