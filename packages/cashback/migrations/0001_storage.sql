-- Rows that nearly every chunk updates keep room for their next version on the same page (HOT updates).
ALTER TABLE "cashback"."account" SET (fillfactor = 70);--> statement-breakpoint
ALTER TABLE "cashback"."lot" SET (fillfactor = 85);--> statement-breakpoint
ALTER TABLE "cashback"."cap_usage" SET (fillfactor = 70);--> statement-breakpoint
ALTER TABLE "cashback"."campaign_stat" SET (fillfactor = 50);--> statement-breakpoint
ALTER TABLE "cashback"."merchant_balance" SET (fillfactor = 50);--> statement-breakpoint
ALTER TABLE "cashback"."progress" SET (fillfactor = 20);
