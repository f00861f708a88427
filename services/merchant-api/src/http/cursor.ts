import { z } from "@hono/zod-openapi";
import { invalidField, type Refusal } from "../errors.ts";
import { limits } from "./limits.ts";

/** The query of a list. */
export const pageQuery = z.object({
  limit: z.coerce
    .number()
    .pipe(z.int().min(1).max(limits.pageMax))
    .default(limits.pageDefault)
    .openapi({ type: "integer", minimum: 1, maximum: limits.pageMax, default: limits.pageDefault }),
  cursor: z.string().max(limits.cursorChars).optional().openapi({ description: "`nextCursor` of the page before; opaque." }),
});

/** The body of a list's answer. */
export const pageOf = <S extends z.ZodType>(item: S) =>
  z.object({ data: z.array(item), nextCursor: z.string().nullable().openapi({ description: "Null on the last page." }) });

export const encodeCursor = (position: readonly (string | number)[]): string => Buffer.from(JSON.stringify(position)).toString("base64url");

/** The position in a list after which to go on; null for the first page; 400 when the cursor is of another list or no cursor at all. */
export function decodeCursor<S extends z.ZodType>(shape: S, cursor: string | undefined): z.output<S> | null | Refusal {
  if (cursor === undefined) return null;
  const bad = invalidField("cursor", "is not one of this list");
  try {
    const parsed = shape.safeParse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
    return parsed.success ? parsed.data : bad;
  } catch {
    return bad;
  }
}

/** One page of rows that were read with `limit + 1`: the surplus row only tells that there is more. */
export function pageFrom<T, U>(
  rows: readonly T[],
  limit: number,
  positionOf: (row: T) => readonly (string | number)[],
  show: (row: T) => U,
): { data: U[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { data: shown.map(show), nextCursor: rows.length > limit && last !== undefined ? encodeCursor(positionOf(last)) : null };
}
