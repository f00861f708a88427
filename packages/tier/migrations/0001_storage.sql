-- Rows that most orders change keep room for a new version in their page, so that no index has to follow (HOT).
ALTER TABLE "tier"."account" SET (fillfactor = 70);
--> statement-breakpoint
ALTER TABLE "tier"."day" SET (fillfactor = 80);
--> statement-breakpoint
ALTER TABLE "tier"."progress" SET (fillfactor = 20);
