import type { Choice } from "../schedule.ts";

/** One place that is changed; `from` must stand there exactly once. */
export interface Replacement {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** A bug that the suite must notice. */
export interface PlantedBug {
  readonly name: string;
  /** What is wrong with it. */
  readonly what: string;
  readonly replacements: readonly Replacement[];
  /** The faults under which it shows, and for how long; null when the suite would need hours to meet it. */
  readonly under: ({ readonly seed: number; readonly minutes: number } & Choice) | null;
  /** Tests that fail with it, which are run when the suite has not caught it. */
  readonly tests: readonly string[];
}

const transaction = "packages/program/src/transaction.ts";
const progress = "packages/program/src/progress.ts";
const programs = ["tier-processor", "cashback-processor", "stamps-processor"];
const publisher = "packages/program/src/publisher.ts";

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: "publish-before-commit",
    what: "notifications go to Kafka before the transaction is committed that they come from",
    replacements: [
      {
        file: transaction,
        from: `    clock.lap("save");\n    crash("before-commit");\n`,
        to: `    clock.lap("save");\n    owner.early(outbox);\n    crash("before-commit");\n`,
      },
      {
        file: "packages/program/src/lane.ts",
        from: `return { acknowledged, queued };`,
        to: `return { acknowledged, queued, early: (rows) => this.#options.publisher.enqueue(rows) };`,
      },
    ],
    under: { seed: 1, minutes: 0.4, kinds: ["lost-commit"], on: programs },
    tests: [],
  },
  {
    name: "progress-outside",
    what: "the progress is stored after the transaction of its chunk, not in it",
    replacements: [
      {
        file: transaction,
        from: `  let done: { committed: Omit<Committed, "phases">; work: W | undefined } | undefined;\n`,
        to: `  let done: { committed: Omit<Committed, "phases">; work: W | undefined } | undefined;\n  let late: () => Promise<void>;\n`,
      },
      {
        file: transaction,
        from: `      saveProgress(tx, scopeOf(program), [...progress.values()], before),\n    ]);`,
        to: `      (late = () => saveProgress(sql, scopeOf(program), [...progress.values()], before)) && undefined,\n    ]);`,
      },
      { file: transaction, from: `  crash("commit");\n`, to: `  crash("commit");\n  await late();\n` },
    ],
    under: { seed: 1, minutes: 0.4, kinds: ["lost-commit"], on: programs },
    tests: [],
  },
  {
    name: "missing-fence",
    what: "the epoch of the progress row is not compared",
    replacements: [
      { file: progress, from: ` || row.epoch !== epoch`, to: `` },
      { file: progress, from: ` AND p.next_off = r.was_off AND p.epoch = r.epoch`, to: ` AND p.next_off = r.was_off` },
    ],
    under: null,
    tests: ["packages/program/src/fence.int.test.ts"],
  },
  {
    name: "orders-twice",
    what: "an order that comes again counts again",
    replacements: [
      {
        file: "packages/orders/src/domain/judge.ts",
        from: `  if (payload.equals(order.payload)) return DUPLICATE;\n  const difference = sameContent(order.placed, event);\n  return difference === null ? DUPLICATE`,
        to: `  const difference = sameContent(order.placed, event);\n  return difference === null ? { kind: "counted", placed: event }`,
      },
      {
        file: "packages/orders/src/store/write.ts",
        from: `withExtra(orderRow(booked), booked.extra, extra.order, orderNames)),\n`,
        to: `withExtra(orderRow(booked), booked.extra, extra.order, orderNames)),\n        "ON CONFLICT DO NOTHING",\n`,
      },
    ],
    under: { seed: 1, minutes: 0.2, kinds: ["reset"], on: ["push"] },
    tests: [],
  },
  {
    name: "inbox-twice",
    what: "the inbox stores a notification that is published again",
    replacements: [
      {
        file: "packages/inbox/migrations/0000_inbox.sql",
        from: `,\n\tCONSTRAINT "notification_acct_id_unique" UNIQUE("acct","id")`,
        to: ``,
      },
      {
        file: "packages/inbox/src/sources.ts",
        from: `if (mark.sequence <= known[1]) return false;`,
        to: `if (mark.sequence <= known[1]) return true;`,
      },
      { file: "packages/inbox/src/program.ts", from: `  if (work.ids.has(once)) return repeat;\n`, to: `` },
    ],
    under: { seed: 1, minutes: 0.3, kinds: ["kill"], on: programs },
    tests: [],
  },
  {
    name: "ack-before-flush",
    what: "rows of the outbox are marked as published before Kafka has them",
    replacements: [
      {
        file: publisher,
        from: `        await this.#send(rows);\n        this.#options.crash?.("publish");\n        failures = 0;\n        this.#acknowledge(rows, generations);\n`,
        to: `        this.#acknowledge(rows, generations);\n        await this.#send(rows);\n        failures = 0;\n`,
      },
    ],
    under: { seed: 11, minutes: 0.7, kinds: ["lost-send"], on: programs },
    tests: [],
  },
  {
    name: "out-of-order",
    what: "rows whose send has failed are sent again after those that came later",
    replacements: [
      {
        file: publisher,
        from: `        await this.#producer.close();\n        await new Promise`,
        to: `        await this.#producer.close();\n        this.#queue = [...this.#queue.slice(rows.length), ...rows];\n        await new Promise`,
      },
    ],
    under: { seed: 11, minutes: 0.7, kinds: ["lost-send"], on: programs },
    tests: ["packages/program/src/broker.int.test.ts"],
  },
  {
    name: "random-ids",
    what: "the id of a notification is random, not that of its cause",
    replacements: [
      {
        file: "packages/program/src/notice-id.ts",
        from: "  return uuidV5(`",
        to: "  return crypto.randomUUID() ?? uuidV5(`",
      },
    ],
    under: { seed: 1, minutes: 0.1, kinds: ["reset"], on: ["push"] },
    tests: [],
  },
  {
    name: "sweep-without-lock",
    what: "a sweep does not lock the progress row",
    replacements: [
      {
        file: transaction,
        from: `await lockFenced(tx, program, [chunk]);`,
        to: `new Map((await readProgress(tx, scopeOf(program))).filter(({ partition }) => partition === chunk.partition).map((row) => [row.partition, row]));`,
      },
      { file: transaction, from: `  numberNotices,\n`, to: `  numberNotices,\n  readProgress,\n` },
    ],
    under: { seed: 1, minutes: 0.5, kinds: ["reset"], on: ["push"] },
    tests: ["packages/program/src/fence.int.test.ts"],
  },
  {
    name: "client-cursor",
    what: "the client does not store the cursor of a note, only that of the welcome",
    replacements: [
      {
        file: "packages/client/src/machine.ts",
        from: `      out.push({ do: "deliver", note });\n    }\n    advance(note.cursor);\n`,
        to: `      out.push({ do: "deliver", note });\n    }\n    cursor = note.cursor;\n`,
      },
    ],
    under: { seed: 1, minutes: 0.5, kinds: ["reset"], on: ["push"] },
    tests: [],
  },
];
