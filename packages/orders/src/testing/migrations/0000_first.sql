CREATE SCHEMA "trial";
--> statement-breakpoint
CREATE TABLE "trial"."order" (
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
	"level" text,
	"taken" integer,
	CONSTRAINT "order_pkey" PRIMARY KEY("merchant","order_id")
);
--> statement-breakpoint
CREATE TABLE "trial"."parked" (
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "trial"."parked_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
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
CREATE TABLE "trial"."refund" (
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
	"note" text,
	CONSTRAINT "refund_pkey" PRIMARY KEY("merchant","order_id","refund_id")
);
--> statement-breakpoint
CREATE INDEX "order_acct_idx" ON "trial"."order" USING btree ("acct","occurred_at");