CREATE SCHEMA "notifier";
--> statement-breakpoint
CREATE TABLE "notifier"."command" (
	"id" uuid PRIMARY KEY NOT NULL,
	"merchant" uuid NOT NULL,
	"customer_id" text NOT NULL,
	"session" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "notifier"."command_result" (
	"command" uuid NOT NULL,
	"instance" uuid NOT NULL,
	"closed" integer NOT NULL,
	CONSTRAINT "command_result_command_instance_pk" PRIMARY KEY("command","instance")
);
--> statement-breakpoint
CREATE TABLE "notifier"."connection" (
	"n" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "notifier"."connection_n_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"session" uuid NOT NULL,
	"instance" uuid NOT NULL,
	"merchant" uuid NOT NULL,
	"customer_id" text NOT NULL,
	"device" text NOT NULL,
	"since" timestamp with time zone NOT NULL,
	CONSTRAINT "connection_session_unique" UNIQUE("session")
);
--> statement-breakpoint
CREATE TABLE "notifier"."instance" (
	"id" uuid PRIMARY KEY NOT NULL,
	"lease_until" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "notifier"."command_result" ADD CONSTRAINT "command_result_command_command_id_fk" FOREIGN KEY ("command") REFERENCES "notifier"."command"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notifier"."connection" ADD CONSTRAINT "connection_instance_instance_id_fk" FOREIGN KEY ("instance") REFERENCES "notifier"."instance"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "command_created_at_index" ON "notifier"."command" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "connection_merchant_customer_id_index" ON "notifier"."connection" USING btree ("merchant","customer_id");--> statement-breakpoint
CREATE INDEX "connection_instance_index" ON "notifier"."connection" USING btree ("instance");