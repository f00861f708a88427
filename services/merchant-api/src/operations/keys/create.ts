import { createApiKey } from "@perkstream/merchant";
import { refuse } from "../../errors.ts";
import { operation, reply } from "../../operation.ts";
import { apiKeyBody, newApiKeyShape } from "../../schemas/merchant.ts";
import { audit, write } from "../../write.ts";
import { showKey } from "./show.ts";

export const createKey = operation({
  method: "post",
  path: "/v1/api-keys",
  tag: "API keys",
  summary: "Makes an API key",
  description: "`apiKey` is shown once and stored hashed. A repeat with the same Idempotency-Key answers 409 `id_taken` with the key's id.",
  access: { kind: "merchant", role: "owner" },
  body: apiKeyBody,
  idempotent: true,
  replies: { 201: { description: "Made", schema: newApiKeyShape } },
  errors: ["id_taken"],
  async handle(call) {
    const { principal, body, deps } = call;
    return write(
      call,
      async (tx) => {
        const { key, secret } = await createApiKey(tx, principal.merchant.id, body, deps.clock());
        await audit(tx, call, principal, { action: "api_key.create", target: key.id, before: null, after: showKey(key) });
        return reply(201, { ...showKey(key), apiKey: secret });
      },
      { repeatAs: ({ body: { id } }) => refuse("id_taken", `key ${id} was made by the first request and shown then`) },
    );
  },
});
