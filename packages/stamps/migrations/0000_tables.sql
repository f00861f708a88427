CREATE SCHEMA "stamps";
--> statement-breakpoint
CREATE TABLE "stamps"."account" (
	"acct" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "stamps"."account_acct_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"merchant" integer NOT NULL,
	"customer_id" text NOT NULL,
	"part" integer NOT NULL,
	CONSTRAINT "account_customer_key" UNIQUE("merchant","customer_id")
);
--> statement-breakpoint
CREATE TABLE "stamps"."applied" (
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
CREATE TABLE "stamps"."card_version" (
	"merchant" uuid NOT NULL,
	"edit" integer NOT NULL,
	"card_id" text COLLATE "C" NOT NULL,
	"version" integer NOT NULL,
	"name" text NOT NULL,
	"category" text NOT NULL,
	"size" integer NOT NULL,
	"active" boolean NOT NULL,
	"actor" text NOT NULL,
	"as_of" timestamp with time zone NOT NULL,
	"from_offsets" bigint[] NOT NULL,
	CONSTRAINT "card_version_pkey" PRIMARY KEY("merchant","edit"),
	CONSTRAINT "card_version_key" UNIQUE("merchant","card_id","version")
);
--> statement-breakpoint
CREATE TABLE "stamps"."dead_letter" (
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
CREATE TABLE "stamps"."order" (
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
	"counted" text,
	CONSTRAINT "order_pkey" PRIMARY KEY("merchant","order_id")
);
--> statement-breakpoint
CREATE TABLE "stamps"."outbox" (
	"part" integer NOT NULL,
	"seq" bigint NOT NULL,
	"epoch" bigint NOT NULL,
	"id" uuid NOT NULL,
	"key" text NOT NULL,
	"value" "bytea" NOT NULL,
	CONSTRAINT "outbox_part_seq_pk" PRIMARY KEY("part","seq")
);
--> statement-breakpoint
CREATE TABLE "stamps"."parked" (
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "stamps"."parked_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
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
CREATE TABLE "stamps"."progress" (
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
CREATE TABLE "stamps"."refund" (
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
CREATE TABLE "stamps"."sheet" (
	"acct" bigint NOT NULL,
	"card_id" text COLLATE "C" NOT NULL,
	"units" bigint[] NOT NULL,
	"rewards" bigint NOT NULL,
	CONSTRAINT "sheet_pkey" PRIMARY KEY("acct","card_id")
);
--> statement-breakpoint
CREATE TABLE "stamps"."sweep_request" (
	"id" uuid NOT NULL,
	"part" integer NOT NULL,
	"scope" uuid NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"after_off" bigint DEFAULT 0 NOT NULL,
	"done" boolean DEFAULT false NOT NULL,
	CONSTRAINT "sweep_request_id_part_pk" PRIMARY KEY("id","part")
);
--> statement-breakpoint
CREATE TABLE "stamps"."tally" (
	"part" integer NOT NULL,
	"scope" uuid NOT NULL,
	"events" bigint DEFAULT 0 NOT NULL,
	"duplicates" bigint DEFAULT 0 NOT NULL,
	"parked" bigint DEFAULT 0 NOT NULL,
	"high_at" timestamp with time zone NOT NULL,
	CONSTRAINT "tally_part_scope_pk" PRIMARY KEY("part","scope")
);
--> statement-breakpoint
CREATE INDEX "dead_letter_scope_created_at_index" ON "stamps"."dead_letter" USING btree ("scope","created_at");--> statement-breakpoint
CREATE INDEX "dead_letter_part_off_index" ON "stamps"."dead_letter" USING btree ("part","off");--> statement-breakpoint
CREATE INDEX "sweep_request_part_index" ON "stamps"."sweep_request" USING btree ("part") WHERE not done;