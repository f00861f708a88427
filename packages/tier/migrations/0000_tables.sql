CREATE SCHEMA "tier";
--> statement-breakpoint
CREATE TABLE "tier"."account" (
	"acct" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "tier"."account_acct_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"merchant" integer NOT NULL,
	"customer_id" text COLLATE "C" NOT NULL,
	"part" integer NOT NULL,
	"manual" boolean DEFAULT false NOT NULL,
	"known" boolean DEFAULT false NOT NULL,
	"level" text,
	"since" timestamp with time zone,
	"level_off" bigint DEFAULT 0 NOT NULL,
	"valid_until" integer,
	"valid_open" boolean DEFAULT false NOT NULL,
	"pin_level" text,
	"pin_until" timestamp with time zone,
	"pin_actor" text,
	"pin_note" text,
	"last_as_of" timestamp with time zone,
	"ladder_version" integer DEFAULT 0 NOT NULL,
	"first_day" integer,
	"net" bigint DEFAULT 0 NOT NULL,
	"orders" integer DEFAULT 0 NOT NULL,
	"bound" bigint DEFAULT 0 NOT NULL,
	"seq" integer DEFAULT 0 NOT NULL,
	"due_at" timestamp with time zone,
	CONSTRAINT "account_customer_key" UNIQUE("merchant","customer_id")
);
--> statement-breakpoint
CREATE TABLE "tier"."applied" (
	"part" integer NOT NULL,
	"off" bigint NOT NULL,
	"n" bigint NOT NULL,
	"kind" text NOT NULL,
	"customer" bigint NOT NULL,
	"as_of" timestamp with time zone NOT NULL,
	"detail" jsonb,
	CONSTRAINT "applied_part_off_n_pk" PRIMARY KEY("part","off","n")
);
--> statement-breakpoint
CREATE TABLE "tier"."command" (
	"id" uuid PRIMARY KEY NOT NULL,
	"acct" bigint NOT NULL,
	"part" integer NOT NULL,
	"off" bigint NOT NULL,
	"n" bigint NOT NULL,
	"kind" text NOT NULL,
	"actor" text NOT NULL,
	"as_of" timestamp with time zone NOT NULL,
	"detail" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tier"."day" (
	"acct" bigint NOT NULL,
	"day" integer NOT NULL,
	"net" bigint NOT NULL,
	"orders" integer NOT NULL,
	CONSTRAINT "day_pkey" PRIMARY KEY("acct","day")
);
--> statement-breakpoint
CREATE TABLE "tier"."dead_letter" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"topic" text NOT NULL,
	"part" integer NOT NULL,
	"off" bigint NOT NULL,
	"record_at" timestamp with time zone NOT NULL,
	"key" "bytea",
	"value" "bytea",
	"headers" jsonb NOT NULL,
	"scope" uuid,
	"reason" text NOT NULL,
	"message" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"redriven_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "tier"."edit_pending" (
	"part" integer NOT NULL,
	"merchant" integer NOT NULL,
	"after_acct" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "edit_pending_pkey" PRIMARY KEY("part","merchant")
);
--> statement-breakpoint
CREATE TABLE "tier"."history" (
	"acct" bigint NOT NULL,
	"seq" integer NOT NULL,
	"from_level" text,
	"to_level" text,
	"reason" text NOT NULL,
	"actor" text NOT NULL,
	"as_of" timestamp with time zone NOT NULL,
	"part" integer NOT NULL,
	"off" bigint NOT NULL,
	"n" bigint NOT NULL,
	"rule_version" integer NOT NULL,
	"order_id" text,
	"metric" bigint NOT NULL,
	"last_period_metric" bigint,
	CONSTRAINT "history_pkey" PRIMARY KEY("acct","seq")
);
--> statement-breakpoint
CREATE TABLE "tier"."ladder_version" (
	"merchant" integer NOT NULL,
	"version" integer NOT NULL,
	"settings" jsonb NOT NULL,
	"levels" jsonb NOT NULL,
	"apply" text NOT NULL,
	"actor" text NOT NULL,
	"as_of" timestamp with time zone NOT NULL,
	"from_offsets" bigint[] NOT NULL,
	CONSTRAINT "ladder_version_pkey" PRIMARY KEY("merchant","version")
);
--> statement-breakpoint
CREATE TABLE "tier"."order" (
	"merchant" integer NOT NULL,
	"order_id" text NOT NULL,
	"acct" bigint NOT NULL,
	"part" integer NOT NULL,
	"off" bigint NOT NULL,
	"occurred_at" timestamp with time zone NOT NULL,
	"local_date" date NOT NULL,
	"record_at" timestamp with time zone NOT NULL,
	"payload" "bytea" NOT NULL,
	"remaining" bigint[],
	"cancelled" boolean DEFAULT false NOT NULL,
	"level_before" text,
	"level_after" text,
	CONSTRAINT "order_pkey" PRIMARY KEY("merchant","order_id")
);
--> statement-breakpoint
CREATE TABLE "tier"."outbox" (
	"part" integer NOT NULL,
	"seq" bigint NOT NULL,
	"epoch" bigint NOT NULL,
	"id" uuid NOT NULL,
	"key" text NOT NULL,
	"value" "bytea" NOT NULL,
	CONSTRAINT "outbox_part_seq_pk" PRIMARY KEY("part","seq")
);
--> statement-breakpoint
CREATE TABLE "tier"."parked" (
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "tier"."parked_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"merchant" integer NOT NULL,
	"order_id" text NOT NULL,
	"part" integer NOT NULL,
	"off" bigint NOT NULL,
	"record_at" timestamp with time zone NOT NULL,
	"key" "bytea",
	"value" "bytea" NOT NULL,
	"headers" jsonb NOT NULL,
	CONSTRAINT "parked_pkey" PRIMARY KEY("merchant","order_id","id")
);
--> statement-breakpoint
CREATE TABLE "tier"."progress" (
	"topic" text NOT NULL,
	"part" integer NOT NULL,
	"next_off" bigint DEFAULT 0 NOT NULL,
	"epoch" bigint DEFAULT 0 NOT NULL,
	"out_seq" bigint DEFAULT 0 NOT NULL,
	"published" bigint DEFAULT 0 NOT NULL,
	"counters" bigint[] DEFAULT '{}' NOT NULL,
	"applied_seq" bigint DEFAULT 0 NOT NULL,
	"failed_off" bigint,
	"failures" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "progress_topic_part_pk" PRIMARY KEY("topic","part")
);
--> statement-breakpoint
CREATE TABLE "tier"."refund" (
	"merchant" integer NOT NULL,
	"order_id" text NOT NULL,
	"refund_id" text NOT NULL,
	"position" integer NOT NULL,
	"part" integer NOT NULL,
	"off" bigint NOT NULL,
	"occurred_at" timestamp with time zone NOT NULL,
	"as_of" timestamp with time zone NOT NULL,
	"record_at" timestamp with time zone NOT NULL,
	"payload" "bytea" NOT NULL,
	"lines" bigint[] NOT NULL,
	"amounts" bigint[] NOT NULL,
	CONSTRAINT "refund_pkey" PRIMARY KEY("merchant","order_id","refund_id")
);
--> statement-breakpoint
CREATE TABLE "tier"."sweep_request" (
	"id" uuid NOT NULL,
	"part" integer NOT NULL,
	"scope" uuid NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"after_off" bigint DEFAULT 0 NOT NULL,
	"done" boolean DEFAULT false NOT NULL,
	CONSTRAINT "sweep_request_id_part_pk" PRIMARY KEY("id","part")
);
--> statement-breakpoint
CREATE TABLE "tier"."tally" (
	"part" integer NOT NULL,
	"scope" uuid NOT NULL,
	"events" bigint DEFAULT 0 NOT NULL,
	"duplicates" bigint DEFAULT 0 NOT NULL,
	"parked" bigint DEFAULT 0 NOT NULL,
	"high_at" timestamp with time zone NOT NULL,
	CONSTRAINT "tally_part_scope_pk" PRIMARY KEY("part","scope")
);
--> statement-breakpoint
CREATE INDEX "account_due_idx" ON "tier"."account" USING btree ("part","due_at") WHERE due_at IS NOT NULL AND NOT manual;--> statement-breakpoint
CREATE INDEX "account_merchant_due_idx" ON "tier"."account" USING btree ("part","merchant","due_at") WHERE due_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX "account_merchant_idx" ON "tier"."account" USING btree ("part","merchant","acct");--> statement-breakpoint
CREATE INDEX "command_place_idx" ON "tier"."command" USING btree ("part","off","n");--> statement-breakpoint
CREATE INDEX "dead_letter_scope_created_at_index" ON "tier"."dead_letter" USING btree ("scope","created_at");--> statement-breakpoint
CREATE INDEX "dead_letter_part_off_index" ON "tier"."dead_letter" USING btree ("part","off");--> statement-breakpoint
CREATE INDEX "order_acct_idx" ON "tier"."order" USING btree ("acct","occurred_at");--> statement-breakpoint
CREATE INDEX "sweep_request_part_index" ON "tier"."sweep_request" USING btree ("part") WHERE not done;