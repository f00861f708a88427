import { createApiKey, createMerchant } from "@perkstream/merchant";
import { invalidField, refuse } from "../../errors.ts";
import { operation, reply } from "../../operation.ts";
import { merchantBody, newMerchantShape } from "../../schemas/merchant.ts";
import { audit, write } from "../../write.ts";

/** Who makes merchants, in history and audit. */
const BOOTSTRAP_ACTOR = "bootstrap";

export const createOneMerchant = operation({
  method: "post",
  path: "/v1/merchants",
  tag: "Merchant",
  summary: "Makes a merchant and its first owner key",
  description: "The key is shown once. A repeat with the same Idempotency-Key answers 409 `id_taken` with the merchant's id.",
  access: { kind: "bootstrap" },
  body: merchantBody,
  idempotent: true,
  replies: { 201: { description: "Made", schema: newMerchantShape } },
  errors: ["id_taken"],
  async handle(call) {
    const { deps, body, now } = call;
    if (body.clock === "manual" && deps.mode !== "development") return invalidField("clock", "`manual` is for development only");
    return write(
      call,
      async (tx) => {
        const merchant = await createMerchant(tx, body, { actor: BOOTSTRAP_ACTOR, at: now });
        if (merchant === null) return refuse("id_taken", "this merchant exists");
        const { secret } = await createApiKey(tx, merchant.id, { name: "owner", role: "owner" }, now);
        await audit(tx, call, { merchant, actor: BOOTSTRAP_ACTOR }, { action: "merchant.create", target: null, before: null, after: body });
        return reply(201, { merchantId: merchant.merchantId, apiKey: secret });
      },
      {
        repeatAs: ({ body: { merchantId } }) =>
          refuse("id_taken", `merchant ${merchantId} was made by the first request; its key was shown then`),
      },
    );
  },
});
