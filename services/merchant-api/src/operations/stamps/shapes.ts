import { z } from "@hono/zod-openapi";
import { MAX_CARDS } from "@perkstream/stamps";
import { refuse, type Refusal } from "../../errors.ts";
import { defaulting, id, int4, optional, text } from "../../schemas/values.ts";

const MAX_SIZE = 1_000;

export const cardParams = z.object({ cardId: id });

export const cardBody = z.object({
  name: optional(text(256, 1)).openapi({ description: "Default: the id." }),
  category: text(256, 1).openapi({ description: "Lines of exactly this category count." }),
  size: int4(1).max(MAX_SIZE).openapi({ description: "Stamps that fill the card; the next unit is rewarded." }),
  active: defaulting(z.boolean(), true).openapi({ description: "Else nothing counts that is bought from now on." }),
});

export const cardShape = z
  .object({ id: z.string(), version: z.int(), name: z.string(), category: z.string(), size: z.int(), active: z.boolean() })
  .openapi("StampCard");

export const customerCardShape = z
  .object({
    cardId: z.string(),
    name: z.string(),
    category: z.string(),
    size: z.int(),
    active: z.boolean(),
    stamps: z.int().openapi({ description: "On the card now; at size the next unit is rewarded." }),
    rewards: z.int().openapi({ description: "Given so far; none is taken back." }),
    ahead: z
      .int()
      .openapi({ description: "Of these, given for units that were refunded since: so many full cards to come are without a reward." }),
  })
  .openapi("CustomerStampCard");

export const unknownCard = (): Refusal => refuse("not_found", "there is no such stamp card");
export const tooManyCards = (): Refusal => refuse("invalid_request", `a merchant has at most ${MAX_CARDS} stamp cards`);
