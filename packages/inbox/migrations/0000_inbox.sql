CREATE SCHEMA "inbox";
--> statement-breakpoint
CREATE TABLE "inbox"."account" (
	"acct" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "inbox"."account_acct_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"merchant" uuid NOT NULL,
	"customer_id" text NOT NULL,
	"part" integer NOT NULL,
	"acked" bigint,
	CONSTRAINT "account_merchant_customer_id_unique" UNIQUE("merchant","customer_id")
);
--> statement-breakpoint
CREATE TABLE "inbox"."applied" (
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
CREATE TABLE "inbox"."dead_letter" (
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
CREATE TABLE "inbox"."notification" (
	"acct" bigint NOT NULL,
	"part" integer NOT NULL,
	"off" bigint NOT NULL,
	"id" uuid NOT NULL,
	"stored_at" timestamp with time zone NOT NULL,
	"record" "bytea" NOT NULL,
	CONSTRAINT "notification_acct_part_off_pk" PRIMARY KEY("acct","part","off"),
	CONSTRAINT "notification_acct_id_unique" UNIQUE("acct","id")
);
--> statement-breakpoint
CREATE TABLE "inbox"."outbox" (
	"part" integer NOT NULL,
	"seq" bigint NOT NULL,
	"epoch" bigint NOT NULL,
	"id" uuid NOT NULL,
	"key" text NOT NULL,
	"value" "bytea" NOT NULL,
	CONSTRAINT "outbox_part_seq_pk" PRIMARY KEY("part","seq")
);
--> statement-breakpoint
CREATE TABLE "inbox"."progress" (
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
CREATE TABLE "inbox"."source" (
	"part" integer NOT NULL,
	"program" text NOT NULL,
	"source_part" integer NOT NULL,
	"sequences" jsonb DEFAULT '[]' NOT NULL,
	CONSTRAINT "source_part_program_source_part_pk" PRIMARY KEY("part","program","source_part")
);
--> statement-breakpoint
CREATE TABLE "inbox"."sweep_request" (
	"id" uuid NOT NULL,
	"part" integer NOT NULL,
	"scope" uuid NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"after_off" bigint DEFAULT 0 NOT NULL,
	"done" boolean DEFAULT false NOT NULL,
	CONSTRAINT "sweep_request_id_part_pk" PRIMARY KEY("id","part")
);
--> statement-breakpoint
CREATE TABLE "inbox"."tally" (
	"part" integer NOT NULL,
	"scope" uuid NOT NULL,
	"events" bigint DEFAULT 0 NOT NULL,
	"duplicates" bigint DEFAULT 0 NOT NULL,
	"parked" bigint DEFAULT 0 NOT NULL,
	"high_at" timestamp with time zone NOT NULL,
	CONSTRAINT "tally_part_scope_pk" PRIMARY KEY("part","scope")
);
--> statement-breakpoint
CREATE TABLE "inbox"."trim" (
	"part" integer PRIMARY KEY NOT NULL,
	"off" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "dead_letter_scope_created_at_index" ON "inbox"."dead_letter" USING btree ("scope","created_at");--> statement-breakpoint
CREATE INDEX "dead_letter_part_off_index" ON "inbox"."dead_letter" USING btree ("part","off");--> statement-breakpoint
CREATE INDEX "notification_part_stored_at_index" ON "inbox"."notification" USING btree ("part","stored_at");--> statement-breakpoint
CREATE INDEX "sweep_request_part_index" ON "inbox"."sweep_request" USING btree ("part") WHERE not done;