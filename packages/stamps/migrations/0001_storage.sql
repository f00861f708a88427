-- Rows that orders change keep room for a new version in their page, so that no index has to follow (HOT).
ALTER TABLE "stamps"."sheet" SET (fillfactor = 70);
--> statement-breakpoint
ALTER TABLE "stamps"."progress" SET (fillfactor = 20);
