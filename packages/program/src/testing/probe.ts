import { fileURLToPath } from "node:url";
import { fromSet, insertSet, type Migrations } from "@perkstream/postgres";
import { pgSchema, text } from "drizzle-orm/pg-core";
import { int8Number } from "@perkstream/postgres/schema";
import { noticeId } from "../notice-id.ts";
import type { Entry, Outcome, Program } from "../program.ts";
import { hostRights } from "../rights.ts";
import { hostTables } from "../tables.ts";

/** The smallest program there is, for tests of the host: sums amounts per key, drops repeats, notifies for each. */
export const probeSchema = pgSchema("probe");
export const { progress, outbox, deadLetter, tally, applied, sweepRequest } = hostTables(probeSchema);
export const seen = probeSchema.table("seen", { id: text().primaryKey() });
export const total = probeSchema.table("total", { key: text().primaryKey(), amount: int8Number().notNull() });

export const probeMigrations: Migrations = {
  schema: "probe",
  folder: fileURLToPath(new URL("./migrations", import.meta.url)),
  rights: { perkstream_probe: { probe: { ...hostRights, seen: "SELECT, INSERT", total: "SELECT, INSERT, UPDATE" } } },
};

export interface ProbeEvent {
  readonly id: string;
  readonly amount: number;
}

export interface ProbeWork {
  readonly seen: Set<string>;
  readonly fresh: string[];
  readonly totals: Map<string, number>;
}

/** The scope of every probe event. */
export const PROBE_SCOPE = "11111111-1111-4111-8111-111111111111";

/** A sweep that does something `times` times in each partition, counted with its progress: a notice and a step each. */
function sweepOnce(times: number): NonNullable<Program<ProbeEvent, ProbeWork>["sweep"]> {
  return async ({ progress }, { partition }) => {
    const { counters } = progress.get(partition)!;
    const done = counters[0] ?? 0;
    if (done >= times) return { notices: [], applied: [], more: false };
    counters[0] = done + 1;
    const key = `swept-${partition}`;
    const notice = { id: noticeId("probe", "Swept", PROBE_SCOPE, key, String(done)), key, value: Buffer.from(`${key}-${done}`) };
    const applied = { partition, kind: "sweep", customer: partition, asOf: done, detail: null };
    return { notices: [{ partition, notice }], applied: [applied], more: false };
  };
}

export function probeProgram(
  topic: string,
  hooks: { readonly beforeDecide?: (entry: Entry<ProbeEvent>) => void; readonly sweeps?: number } = {},
): Program<ProbeEvent, ProbeWork> {
  return {
    name: "probe",
    topic,
    groupId: `${topic}.probe`,
    decode(record) {
      try {
        const event = JSON.parse(String(record.value)) as ProbeEvent;
        if (typeof event.id !== "string") throw new Error("id is missing");
        return { event, scope: PROBE_SCOPE };
      } catch (error) {
        return { rejected: { reason: "invalid_event", message: String(error) }, scope: null };
      }
    },
    async load({ tx }, entries) {
      const ids = fromSet(
        { id: "text" } as const,
        entries.map(({ event }) => ({ id: event.id.replaceAll("\0", "") })),
      );
      const rows = await tx.unsafe<{ id: string }[]>(`SELECT s.id FROM ${ids.text} r JOIN probe.seen s ON s.id = r.id`, ids.params);
      return { seen: new Set(rows.map((row) => row.id)), fresh: [], totals: new Map() };
    },
    decide(work, entry): Outcome {
      hooks.beforeDecide?.(entry);
      const { id, amount } = entry.event;
      if (work.seen.has(id)) return { result: "duplicate", notices: [] };
      if (amount < 0) return { result: { rejected: { reason: "invalid_event", message: "amount must be 0 or more" } }, notices: [] };
      work.seen.add(id);
      work.fresh.push(id);
      const key = String(entry.record.key);
      work.totals.set(key, (work.totals.get(key) ?? 0) + amount);
      return { result: "applied", notices: [{ id: noticeId("probe", "Counted", PROBE_SCOPE, key, id), key, value: Buffer.from(id) }] };
    },
    ...(hooks.sweeps === undefined ? {} : { sweep: sweepOnce(hooks.sweeps) }),
    async save({ tx }, work) {
      await Promise.all([
        insertSet(
          tx,
          "probe.seen",
          { id: "text" },
          work.fresh.sort().map((id) => ({ id })),
        ),
        insertSet(
          tx,
          "probe.total AS t",
          { key: "text", amount: "int8" },
          [...work.totals].map(([key, amount]) => ({ key, amount })).sort((a, b) => (a.key < b.key ? -1 : 1)),
          "ON CONFLICT (key) DO UPDATE SET amount = t.amount + excluded.amount",
        ),
      ]);
    },
  };
}
