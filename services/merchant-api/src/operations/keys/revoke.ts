import { z } from "@hono/zod-openapi";
import { revokeApiKey } from "@perkstream/merchant";
import { refuse } from "../../errors.ts";
import { operation, reply } from "../../operation.ts";
import { givenId } from "../../schemas/values.ts";
import { audit, write } from "../../write.ts";

export const revokeKey = operation({
  method: "delete",
  path: "/v1/api-keys/{id}",
  tag: "API keys",
  summary: "Revokes a key, at once and for good",
  access: { kind: "merchant", role: "owner" },
  params: z.object({ id: givenId }),
  replies: { 204: { description: "Revoked", schema: null } },
  errors: ["not_found"],
  async handle(call) {
    const { deps, principal, params } = call;
    return write(call, async (tx) => {
      if (!(await revokeApiKey(tx, principal.merchant.id, params.id, { at: deps.clock() })))
        return refuse("not_found", "there is no such key");
      await audit(tx, call, principal, { action: "api_key.revoke", target: params.id, before: null, after: null });
      return reply(204, null);
    });
  },
});
