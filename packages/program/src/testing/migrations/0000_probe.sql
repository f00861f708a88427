CREATE SCHEMA "probe";
--> statement-breakpoint
CREATE TABLE "probe"."applied" (
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
CREATE TABLE "probe"."dead_letter" (
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
CREATE TABLE "probe"."outbox" (
	"part" integer NOT NULL,
	"seq" bigint NOT NULL,
	"epoch" bigint NOT NULL,
	"id" uuid NOT NULL,
	"key" text NOT NULL,
	"value" "bytea" NOT NULL,
	CONSTRAINT "outbox_part_seq_pk" PRIMARY KEY("part","seq")
);
--> statement-breakpoint
CREATE TABLE "probe"."progress" (
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
CREATE TABLE "probe"."seen" (
	"id" text PRIMARY KEY NOT NULL
);
--> statement-breakpoint
CREATE TABLE "probe"."sweep_request" (
	"id" uuid NOT NULL,
	"part" integer NOT NULL,
	"scope" uuid NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"after_off" bigint DEFAULT 0 NOT NULL,
	"done" boolean DEFAULT false NOT NULL,
	CONSTRAINT "sweep_request_id_part_pk" PRIMARY KEY("id","part")
);
--> statement-breakpoint
CREATE TABLE "probe"."tally" (
	"part" integer NOT NULL,
	"scope" uuid NOT NULL,
	"events" bigint DEFAULT 0 NOT NULL,
	"duplicates" bigint DEFAULT 0 NOT NULL,
	"parked" bigint DEFAULT 0 NOT NULL,
	"high_at" timestamp with time zone NOT NULL,
	CONSTRAINT "tally_part_scope_pk" PRIMARY KEY("part","scope")
);
--> statement-breakpoint
CREATE TABLE "probe"."total" (
	"key" text PRIMARY KEY NOT NULL,
	"amount" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "dead_letter_scope_created_at_index" ON "probe"."dead_letter" USING btree ("scope","created_at");--> statement-breakpoint
CREATE INDEX "dead_letter_part_off_index" ON "probe"."dead_letter" USING btree ("part","off");--> statement-breakpoint
CREATE INDEX "sweep_request_part_index" ON "probe"."sweep_request" USING btree ("part") WHERE not done;