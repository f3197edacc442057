CREATE TABLE "holds" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"status" text DEFAULT 'held' NOT NULL,
	"amount_cents" bigint NOT NULL,
	"captured_cents" bigint DEFAULT 0 NOT NULL,
	"currency" text NOT NULL,
	"reference" text,
	"expires_at" timestamp(3) with time zone NOT NULL,
	"created_by" uuid,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "holds_captured" CHECK ("holds"."captured_cents" between 0 and "holds"."amount_cents")
);
--> statement-breakpoint
ALTER TABLE "accounts" DROP CONSTRAINT "accounts_not_negative";--> statement-breakpoint
ALTER TABLE "accounts" ADD COLUMN "held_cents" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "holds_account_idx" ON "holds" USING btree ("account_id","id");--> statement-breakpoint
CREATE INDEX "holds_organization_idx" ON "holds" USING btree ("organization_id");--> statement-breakpoint
CREATE INDEX "holds_expiring_idx" ON "holds" USING btree ("expires_at") WHERE "holds"."status" = 'held';--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_held" CHECK ("accounts"."held_cents" >= 0);--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_not_negative" CHECK ("accounts"."kind" = 'system' or "accounts"."balance_cents" >= "accounts"."held_cents");
--> statement-breakpoint
CREATE TRIGGER holds_not_deleted BEFORE DELETE OR TRUNCATE ON "holds" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
