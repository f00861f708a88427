import { z } from "@hono/zod-openapi";
import { programs } from "../../composition.ts";
import { Refusal, refuse } from "../../errors.ts";
import { decodeCursor, pageFrom, pageOf, pageQuery } from "../../http/cursor.ts";
import { operation, reply } from "../../operation.ts";
import { instantOut } from "../../schemas/time.ts";
import { offsetOut, text } from "../../schemas/values.ts";
import { readDeadLetters } from "./read.ts";
import { showDeadLetter } from "./show.ts";

const deadLetter = z
  .object({
    id: z.uuid(),
    program: z.enum(programs),
    reason: z.string(),
    message: z.string(),
    topic: z.string(),
    partition: offsetOut,
    offset: offsetOut,
    timestamp: instantOut,
    key: z.string().nullable(),
    keyBase64: z.string().optional().openapi({ description: "Only when the key is no text." }),
    value: z.string().nullable().openapi({ description: "Base64." }),
    headers: z.record(z.string(), z.string()),
    event: z.record(z.string(), z.unknown()).nullable(),
    createdAt: instantOut,
    redrivenAt: instantOut.nullable(),
  })
  .openapi("DeadLetter");

const position = z.tuple([z.string().regex(/^\d{1,18}$/), z.int().min(0), z.enum(programs), z.uuid()]);

export const listDeadLetters = operation({
  method: "get",
  path: "/v1/dead-letters",
  tag: "Dead letters",
  summary: "Events that were not applied, newest first",
  description:
    "With the original coordinates, bytes and headers. Each program keeps one of the same record. Those of no known merchant: the bootstrap key and `merchant=none`.",
  access: { kind: "merchant-or-bootstrap", role: "viewer" },
  query: pageQuery.extend({
    program: z.enum(programs).optional(),
    reason: text(64).optional(),
    merchant: z.literal("none").optional(),
  }),
  replies: { 200: { description: "Dead letters", schema: pageOf(deadLetter) } },
  async handle({ deps, principal, query }) {
    const after = decodeCursor(position, query.cursor);
    if (after instanceof Refusal) return after;
    if ((principal.kind === "bootstrap") !== (query.merchant === "none")) {
      return refuse("forbidden", "the bootstrap key reads merchant=none, a merchant its own");
    }
    const rows = await readDeadLetters(deps.sql, {
      merchantId: principal.kind === "merchant" ? principal.merchant.merchantId : null,
      programs: query.program === undefined ? programs : [query.program],
      reason: query.reason ?? null,
      after,
      limit: query.limit + 1,
    });
    await deps.records.json.prepare(rows.slice(0, query.limit).map(({ value }) => value));
    return reply(
      200,
      pageFrom(
        rows,
        query.limit,
        ({ createdUs, off, program, id }) => [createdUs, Number(off), program, id],
        (row) => showDeadLetter(deps.records, row),
      ),
    );
  },
});
