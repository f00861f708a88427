DROP INDEX "inbox"."notification_part_stored_at_index";--> statement-breakpoint
CREATE INDEX "notification_stored_at_brin" ON "inbox"."notification" USING brin ("stored_at");