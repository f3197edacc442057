ALTER TABLE "organizations" DROP CONSTRAINT "organizations_slug_key";--> statement-breakpoint
DROP INDEX "deletions_requested_by_idx";--> statement-breakpoint
ALTER TABLE "deletions" ALTER COLUMN "total_rows" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "organizations" ADD COLUMN "deleted_at" timestamp(3) with time zone;--> statement-breakpoint
CREATE INDEX "comments_organization_idx" ON "comments" USING btree ("organization_id");--> statement-breakpoint
CREATE UNIQUE INDEX "organizations_slug_key" ON "organizations" USING btree ("slug") WHERE "organizations"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX "deletions_requested_by_idx" ON "deletions" USING btree ("requested_by","id");