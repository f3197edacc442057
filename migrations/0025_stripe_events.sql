CREATE TABLE "stripe_events" (
	"id" text PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"reference" text,
	"received_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"applied_at" timestamp(3) with time zone
);
--> statement-breakpoint
CREATE INDEX "payments_reference_idx" ON "payments" USING btree ("reference") WHERE reference is not null;