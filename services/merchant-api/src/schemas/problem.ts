import { z } from "@hono/zod-openapi";
import { type ErrorCode, errorTable } from "../errors.ts";

const codes = Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]];

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(codes),
    requestId: z.string(),
    retryable: z.boolean(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })),
  })
  .openapi("Problem", { description: "RFC 9457. `code` is from a closed list; `retryable`: the same request may succeed later." });
