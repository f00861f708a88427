-- Commands and sweeps in one order. What was stored of commands goes before the sweeps of the same offset: which came first is not known.
INSERT INTO "tier"."applied" ("part", "off", "n", "kind", "customer", "as_of", "detail")
  SELECT "part", "off", "n" - 1000000000000, "kind", "acct", "as_of", "detail" - 'kind' || jsonb_build_object('id', "id", 'actor', "actor") FROM "tier"."command";
--> statement-breakpoint
UPDATE "tier"."applied" SET "kind" = 'sweep', "detail" = NULL WHERE "kind" = 'due';
--> statement-breakpoint
UPDATE "tier"."applied" SET "detail" = jsonb_build_object('to', substr("detail" #>> '{}', 8)::int) WHERE "kind" = 'edit' AND jsonb_typeof("detail") = 'string';
--> statement-breakpoint
DROP TABLE "tier"."command" CASCADE;
--> statement-breakpoint
ALTER TABLE "tier"."order" ADD COLUMN "ladder" integer;
