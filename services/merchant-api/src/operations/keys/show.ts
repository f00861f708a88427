import type { ApiKey } from "@perkstream/merchant";
import type { z } from "@hono/zod-openapi";
import type { apiKeyShape } from "../../schemas/merchant.ts";
import { iso, isoOrNull } from "../../schemas/time.ts";

export function showKey({ id, name, role, createdAt, lastUsedAt, revokedAt }: ApiKey): z.input<typeof apiKeyShape> {
  return { id, name, role, createdAt: iso(createdAt), lastUsedAt: isoOrNull(lastUsedAt), revokedAt: isoOrNull(revokedAt) };
}
