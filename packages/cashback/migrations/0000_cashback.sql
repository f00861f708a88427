CREATE SCHEMA "cashback";
--> statement-breakpoint
CREATE TABLE "cashback"."account" (
	"acct" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "cashback"."account_acct_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"merchant" integer NOT NULL,
	"customer_id" text NOT NULL,
	"part" integer NOT NULL,
	"known" boolean DEFAULT false NOT NULL,
	"pending" bigint DEFAULT 0 NOT NULL,
	"available" bigint DEFAULT 0 NOT NULL,
	"reserved" bigint DEFAULT 0 NOT NULL,
	"debt" bigint DEFAULT 0 NOT NULL,
	"last_as_of" timestamp with time zone,
	"due_at" timestamp with time zone,
	"unannounced_at" timestamp with time zone,
	"campaigns" bigint[] DEFAULT '{}' NOT NULL,
	CONSTRAINT "account_customer_key" UNIQUE("merchant","customer_id")
);
--> statement-breakpoint
CREATE TABLE "cashback"."applied" (
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
CREATE TABLE "cashback"."budget_allowance" (
	"campaign" integer NOT NULL,
	"part" integer NOT NULL,
	"allowance" bigint DEFAULT 0 NOT NULL,
	"used" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "budget_allowance_pkey" PRIMARY KEY("campaign","part")
);
--> statement-breakpoint
CREATE TABLE "cashback"."campaign" (
	"campaign" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "cashback"."campaign_campaign_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"merchant" integer NOT NULL,
	"campaign_id" text NOT NULL,
	"version" integer NOT NULL,
	"cap_periods" smallint NOT NULL,
	"cap_periods_from_start" smallint NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "campaign_id_key" UNIQUE("merchant","campaign_id")
);
--> statement-breakpoint
CREATE TABLE "cashback"."campaign_budget" (
	"campaign" integer PRIMARY KEY NOT NULL,
	"budget" bigint,
	"used" bigint DEFAULT 0 NOT NULL,
	"shared" boolean DEFAULT true NOT NULL
);
--> statement-breakpoint
CREATE TABLE "cashback"."campaign_revision" (
	"merchant" integer PRIMARY KEY NOT NULL,
	"revision" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "cashback"."campaign_stat" (
	"campaign" integer NOT NULL,
	"part" integer NOT NULL,
	"awarded" bigint DEFAULT 0 NOT NULL,
	"reversed" bigint DEFAULT 0 NOT NULL,
	"redeemed" bigint DEFAULT 0 NOT NULL,
	"customers" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "campaign_stat_pkey" PRIMARY KEY("campaign","part")
);
--> statement-breakpoint
CREATE TABLE "cashback"."campaign_version" (
	"campaign" integer NOT NULL,
	"version" integer NOT NULL,
	"definition" jsonb NOT NULL,
	"from_off" bigint[] NOT NULL,
	"actor" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "campaign_version_pkey" PRIMARY KEY("campaign","version")
);
--> statement-breakpoint
CREATE TABLE "cashback"."cap_usage" (
	"acct" bigint NOT NULL,
	"campaign" integer NOT NULL,
	"period" smallint NOT NULL,
	"key" integer NOT NULL,
	"used" bigint NOT NULL,
	CONSTRAINT "cap_usage_pkey" PRIMARY KEY("acct","campaign","period","key")
);
--> statement-breakpoint
CREATE TABLE "cashback"."dead_letter" (
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
CREATE TABLE "cashback"."lot" (
	"acct" bigint NOT NULL,
	"lot_id" bigint NOT NULL,
	"order_id" text NOT NULL,
	"campaign" integer NOT NULL,
	"granted" bigint NOT NULL,
	"pending" bigint DEFAULT 0 NOT NULL,
	"available" bigint DEFAULT 0 NOT NULL,
	"reserved" bigint DEFAULT 0 NOT NULL,
	"redeemed" bigint DEFAULT 0 NOT NULL,
	"expired" bigint DEFAULT 0 NOT NULL,
	"reversed" bigint DEFAULT 0 NOT NULL,
	"available_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone,
	"noticed" boolean DEFAULT false NOT NULL,
	CONSTRAINT "lot_pkey" PRIMARY KEY("acct","lot_id")
);
--> statement-breakpoint
CREATE TABLE "cashback"."merchant_balance" (
	"merchant" integer NOT NULL,
	"part" integer NOT NULL,
	"cost" bigint DEFAULT 0 NOT NULL,
	"redeemed" bigint DEFAULT 0 NOT NULL,
	"breakage" bigint DEFAULT 0 NOT NULL,
	"written_off" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "merchant_balance_pkey" PRIMARY KEY("merchant","part")
);
--> statement-breakpoint
CREATE TABLE "cashback"."order" (
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
	"awards" jsonb,
	CONSTRAINT "order_pkey" PRIMARY KEY("merchant","order_id")
);
--> statement-breakpoint
CREATE TABLE "cashback"."outbox" (
	"part" integer NOT NULL,
	"seq" bigint NOT NULL,
	"epoch" bigint NOT NULL,
	"id" uuid NOT NULL,
	"key" text NOT NULL,
	"value" "bytea" NOT NULL,
	CONSTRAINT "outbox_part_seq_pk" PRIMARY KEY("part","seq")
);
--> statement-breakpoint
CREATE TABLE "cashback"."parked" (
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "cashback"."parked_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
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
CREATE TABLE "cashback"."progress" (
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
CREATE TABLE "cashback"."redemption" (
	"seq" bigint PRIMARY KEY NOT NULL,
	"redemption_id" text NOT NULL,
	"merchant" integer NOT NULL,
	"acct" bigint NOT NULL,
	"order_id" text,
	"amount" bigint NOT NULL,
	"status" smallint NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone,
	CONSTRAINT "redemption_id_key" UNIQUE("redemption_id")
);
--> statement-breakpoint
CREATE TABLE "cashback"."redemption_part" (
	"redemption" bigint NOT NULL,
	"n" integer NOT NULL,
	"lot" bigint NOT NULL,
	"amount" bigint NOT NULL,
	"restored" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "redemption_part_pkey" PRIMARY KEY("redemption","n")
);
--> statement-breakpoint
CREATE TABLE "cashback"."refund" (
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
	"put_back" bigint,
	"clawbacks" jsonb,
	CONSTRAINT "refund_pkey" PRIMARY KEY("merchant","order_id","refund_id")
);
--> statement-breakpoint
CREATE TABLE "cashback"."seal" (
	"part" integer NOT NULL,
	"n" bigint NOT NULL,
	"from_id" bigint NOT NULL,
	"to_id" bigint NOT NULL,
	"hash" "bytea" NOT NULL,
	CONSTRAINT "seal_pkey" PRIMARY KEY("part","n")
);
--> statement-breakpoint
CREATE TABLE "cashback"."sweep_request" (
	"id" uuid NOT NULL,
	"part" integer NOT NULL,
	"scope" uuid NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"after_off" bigint DEFAULT 0 NOT NULL,
	"done" boolean DEFAULT false NOT NULL,
	CONSTRAINT "sweep_request_id_part_pk" PRIMARY KEY("id","part")
);
--> statement-breakpoint
CREATE TABLE "cashback"."tally" (
	"part" integer NOT NULL,
	"scope" uuid NOT NULL,
	"events" bigint DEFAULT 0 NOT NULL,
	"duplicates" bigint DEFAULT 0 NOT NULL,
	"parked" bigint DEFAULT 0 NOT NULL,
	"high_at" timestamp with time zone NOT NULL,
	CONSTRAINT "tally_part_scope_pk" PRIMARY KEY("part","scope")
);
--> statement-breakpoint
CREATE TABLE "cashback"."transfer" (
	"acct" bigint NOT NULL,
	"id" bigint NOT NULL,
	"lot" bigint NOT NULL,
	"debit" smallint NOT NULL,
	"credit" smallint NOT NULL,
	"kind" smallint NOT NULL,
	"amount" bigint NOT NULL,
	"off" bigint,
	"request_id" text,
	"as_of" timestamp with time zone NOT NULL,
	CONSTRAINT "transfer_pkey" PRIMARY KEY("acct","id")
);
--> statement-breakpoint
ALTER TABLE "cashback"."budget_allowance" ADD CONSTRAINT "budget_allowance_campaign_campaign_campaign_fk" FOREIGN KEY ("campaign") REFERENCES "cashback"."campaign"("campaign") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "cashback"."campaign_budget" ADD CONSTRAINT "campaign_budget_campaign_campaign_campaign_fk" FOREIGN KEY ("campaign") REFERENCES "cashback"."campaign"("campaign") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "cashback"."campaign_version" ADD CONSTRAINT "campaign_version_campaign_campaign_campaign_fk" FOREIGN KEY ("campaign") REFERENCES "cashback"."campaign"("campaign") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "account_due_idx" ON "cashback"."account" USING btree ("part","merchant","due_at") WHERE due_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX "account_unannounced_idx" ON "cashback"."account" USING btree ("part","merchant","unannounced_at") WHERE unannounced_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX "dead_letter_scope_created_at_index" ON "cashback"."dead_letter" USING btree ("scope","created_at");--> statement-breakpoint
CREATE INDEX "dead_letter_part_off_index" ON "cashback"."dead_letter" USING btree ("part","off");--> statement-breakpoint
CREATE INDEX "lot_hold_idx" ON "cashback"."lot" USING btree ("acct","available_at") WHERE pending > 0;--> statement-breakpoint
CREATE INDEX "lot_use_idx" ON "cashback"."lot" USING btree ("acct","expires_at","lot_id") WHERE available > 0;--> statement-breakpoint
CREATE INDEX "order_acct_idx" ON "cashback"."order" USING btree ("acct","occurred_at");--> statement-breakpoint
CREATE INDEX "redemption_due_idx" ON "cashback"."redemption" USING btree ("acct","expires_at") WHERE status = 1;--> statement-breakpoint
CREATE INDEX "redemption_order_idx" ON "cashback"."redemption" USING btree ("acct","order_id") WHERE order_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX "sweep_request_part_index" ON "cashback"."sweep_request" USING btree ("part") WHERE not done;