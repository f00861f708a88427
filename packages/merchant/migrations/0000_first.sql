CREATE SCHEMA "merchant";
--> statement-breakpoint
CREATE TABLE "merchant"."api_key" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"merchant" integer NOT NULL,
	"name" text NOT NULL,
	"role" text NOT NULL,
	"hash" "bytea" NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"last_used_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "api_key_hash_key" UNIQUE("hash"),
	CONSTRAINT "api_key_role_check" CHECK ("role" IN ('viewer', 'operator', 'owner'))
);
--> statement-breakpoint
CREATE TABLE "merchant"."audit" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "merchant"."audit_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"merchant" integer NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"actor" text NOT NULL,
	"request_id" text NOT NULL,
	"action" text NOT NULL,
	"target" text,
	"before" jsonb,
	"after" jsonb
);
--> statement-breakpoint
CREATE TABLE "merchant"."idempotency" (
	"credential" text NOT NULL,
	"method" text NOT NULL,
	"path" text NOT NULL,
	"key" text NOT NULL,
	"request_hash" "bytea" NOT NULL,
	"status" integer,
	"headers" jsonb,
	"body" text,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "idempotency_pkey" PRIMARY KEY("credential","method","path","key")
);
--> statement-breakpoint
CREATE TABLE "merchant"."merchant" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "merchant"."merchant_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"merchant_id" uuid NOT NULL,
	"name" text NOT NULL,
	"clock" text DEFAULT 'real' NOT NULL,
	"revision" uuid DEFAULT gen_random_uuid() NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "merchant_merchant_id_key" UNIQUE("merchant_id"),
	CONSTRAINT "merchant_clock_check" CHECK ("clock" IN ('real', 'manual'))
);
--> statement-breakpoint
CREATE TABLE "merchant"."order_time" (
	"merchant" integer NOT NULL,
	"order_id" text NOT NULL,
	"occurred_at" timestamp with time zone NOT NULL,
	"answered_at" timestamp with time zone NOT NULL,
	CONSTRAINT "order_time_pkey" PRIMARY KEY("merchant","order_id")
);
--> statement-breakpoint
CREATE TABLE "merchant"."setting" (
	"merchant" integer NOT NULL,
	"version" integer NOT NULL,
	"currency" text NOT NULL,
	"time_zone" text NOT NULL,
	"clawback_policy" text NOT NULL,
	"expiring_notice_days" integer NOT NULL,
	"shared_from" bigint[] NOT NULL,
	"cashback_from" bigint[] NOT NULL,
	"actor" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "setting_pkey" PRIMARY KEY("merchant","version"),
	CONSTRAINT "setting_clawback_policy_check" CHECK ("clawback_policy" IN ('allow_negative', 'clamp_to_zero')),
	CONSTRAINT "setting_expiring_notice_days_check" CHECK ("expiring_notice_days" >= 0)
);
--> statement-breakpoint
ALTER TABLE "merchant"."api_key" ADD CONSTRAINT "api_key_merchant_merchant_id_fk" FOREIGN KEY ("merchant") REFERENCES "merchant"."merchant"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "merchant"."audit" ADD CONSTRAINT "audit_merchant_merchant_id_fk" FOREIGN KEY ("merchant") REFERENCES "merchant"."merchant"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "merchant"."setting" ADD CONSTRAINT "setting_merchant_merchant_id_fk" FOREIGN KEY ("merchant") REFERENCES "merchant"."merchant"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "api_key_merchant_idx" ON "merchant"."api_key" USING btree ("merchant","created_at");--> statement-breakpoint
CREATE INDEX "audit_merchant_idx" ON "merchant"."audit" USING btree ("merchant","id");--> statement-breakpoint
CREATE INDEX "idempotency_created_at_idx" ON "merchant"."idempotency" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "order_time_answered_at_idx" ON "merchant"."order_time" USING btree ("answered_at");