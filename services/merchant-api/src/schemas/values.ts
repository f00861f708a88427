import { z } from "@hono/zod-openapi";

const MAX_INT4 = 2_147_483_647;

function isText(text: string): boolean {
  return !text.includes("\u0000") && text.isWellFormed();
}

/** Characters as people count them: a surrogate pair is one. */
function atMost(max: number): (text: string) => boolean {
  return (text) => text.length <= max || (text.length <= 2 * max && [...text].length <= max);
}

/** Text of at most `max` characters that Postgres and Avro can hold. */
export const text = (max: number, min = 0) =>
  z
    .string()
    .min(min)
    .refine(atMost(max), `must have at most ${max} characters`)
    .refine(isText, "must be valid Unicode without U+0000")
    .openapi({ maxLength: max });

/** An id that the merchant chooses: 1 to 64 characters. */
export const id = text(64, 1);

/** An amount of a request in minor units, at least `min`; parsed to bigint. */
export const amount = (min: number) =>
  z.int().min(min).transform(BigInt).openapi({ type: "integer", format: "int64", minimum: min, maximum: Number.MAX_SAFE_INTEGER });

/** An amount of a request that is stored as a JSON integer. */
export const wholeAmount = (min: number) => z.int().min(min).openapi({ type: "integer", format: "int64", minimum: min });

/** An amount of an answer in minor units: a JSON integer. */
export const amountOut = z.union([z.bigint(), z.int()]).openapi({ type: "integer", format: "int64" });

/** A word of an answer out of a closed list that a program owns. */
export const oneOf = (words: readonly string[]) =>
  z
    .string()
    .refine((word) => words.includes(word))
    .openapi({ enum: [...words] });

export const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, "must be an ISO 4217 code")
  .openapi({ example: "USD" });
export const int4 = (min: number) => z.int().min(min).max(MAX_INT4);
export const offsetOut = z.int().min(0);
export const uuid = z
  .uuid()
  .transform((value) => value.toLowerCase())
  .openapi({ type: "string", format: "uuid" });
export const uuidOut = z.uuid();

const noId = "00000000-0000-0000-0000-000000000000";

/** An id that this API gives. What is none of its form is a thing that does not exist, so 404 and not 400: it becomes nobody's id. */
export const givenId = text(64, 1)
  .transform((value) => (uuid.safeParse(value).success ? value.toLowerCase() : noId))
  .openapi({ type: "string", format: "uuid" });

/** Absent and null are the same in requests. */
export const optional = <S extends z.ZodType>(schema: S) => schema.nullish().transform((value) => value ?? null);
export const defaulting = <S extends z.ZodType>(schema: S, fallback: z.output<S>) =>
  schema.nullish().transform((value): z.output<S> => (value === null || value === undefined ? fallback : (value as z.output<S>)));

/** `true` or `false` of a query. */
export const flag = z
  .enum(["true", "false"])
  .default("false")
  .transform((value) => value === "true")
  .openapi({ type: "boolean", default: false });
