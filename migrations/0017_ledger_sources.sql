DROP INDEX "accounts_system_key";--> statement-breakpoint
ALTER TABLE "accounts" ADD COLUMN "purpose" text DEFAULT 'general' NOT NULL;--> statement-breakpoint
ALTER TABLE "transfers" ADD COLUMN "source" text;--> statement-breakpoint
ALTER TABLE "transfers" ADD COLUMN "source_id" uuid;--> statement-breakpoint
CREATE UNIQUE INDEX "transfers_source_key" ON "transfers" USING btree ("source_id","source") WHERE "transfers"."source_id" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "accounts_system_key" ON "accounts" USING btree ("organization_id","currency","purpose") WHERE "accounts"."kind" = 'system';