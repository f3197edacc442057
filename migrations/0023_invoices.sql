CREATE TABLE "credit_notes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"invoice_id" uuid NOT NULL,
	"number" integer NOT NULL,
	"reason" text NOT NULL,
	"currency" text NOT NULL,
	"lines" json NOT NULL,
	"taxes" json NOT NULL,
	"subtotal_cents" bigint NOT NULL,
	"tax_cents" bigint DEFAULT 0 NOT NULL,
	"total_cents" bigint NOT NULL,
	"created_by" uuid,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "credit_notes_number_key" UNIQUE("organization_id","number"),
	CONSTRAINT "credit_notes_total_check" CHECK (total_cents = subtotal_cents + tax_cents and total_cents > 0)
);
--> statement-breakpoint
CREATE TABLE "invoice_numbers" (
	"organization_id" uuid PRIMARY KEY NOT NULL,
	"last_invoice" integer DEFAULT 0 NOT NULL,
	"last_credit_note" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "invoices" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"number" integer,
	"status" text DEFAULT 'draft' NOT NULL,
	"customer_name" text NOT NULL,
	"customer_email" text NOT NULL,
	"customer_address" text,
	"currency" text NOT NULL,
	"lines" json NOT NULL,
	"taxes" json NOT NULL,
	"subtotal_cents" bigint NOT NULL,
	"tax_cents" bigint DEFAULT 0 NOT NULL,
	"total_cents" bigint NOT NULL,
	"credited_cents" bigint DEFAULT 0 NOT NULL,
	"due_days" integer NOT NULL,
	"issued_at" timestamp(3) with time zone,
	"due_at" timestamp(3) with time zone,
	"sent_at" timestamp(3) with time zone,
	"paid_at" timestamp(3) with time zone,
	"payment_id" uuid,
	"created_by" uuid,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "invoices_number_key" UNIQUE("organization_id","number"),
	CONSTRAINT "invoices_total_check" CHECK (total_cents = subtotal_cents + tax_cents and total_cents >= 0),
	CONSTRAINT "invoices_credited_check" CHECK (credited_cents between 0 and total_cents),
	CONSTRAINT "invoices_issued_check" CHECK ((status = 'draft') = (number is null) and (number is null) = (issued_at is null))
);
--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "invoice_id" uuid;--> statement-breakpoint
ALTER TABLE "credit_notes" ADD CONSTRAINT "credit_notes_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credit_notes" ADD CONSTRAINT "credit_notes_invoice_id_invoices_id_fk" FOREIGN KEY ("invoice_id") REFERENCES "public"."invoices"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invoice_numbers" ADD CONSTRAINT "invoice_numbers_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invoices" ADD CONSTRAINT "invoices_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "credit_notes_invoice_idx" ON "credit_notes" USING btree ("invoice_id","id");--> statement-breakpoint
CREATE INDEX "invoices_organization_idx" ON "invoices" USING btree ("organization_id","id");--> statement-breakpoint
ALTER TABLE "payments" ADD CONSTRAINT "payments_invoice_id_invoices_id_fk" FOREIGN KEY ("invoice_id") REFERENCES "public"."invoices"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "payments_invoice_idx" ON "payments" USING btree ("invoice_id") WHERE invoice_id is not null;--> statement-breakpoint
-- What an issued invoice says stays, and so does a credit note. They are deleted only with their organization, whose deletion
-- is on record before its rows go.
CREATE FUNCTION refuse_change_of_document() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' AND (EXISTS (SELECT FROM public.deletions WHERE organization_id = OLD.organization_id)
    OR NOT EXISTS (SELECT FROM public.organizations WHERE id = OLD.organization_id)) THEN RETURN OLD; END IF;
  RAISE EXCEPTION 'an issued document in % is never changed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
--> statement-breakpoint
CREATE TRIGGER invoices_not_changed BEFORE UPDATE ON "invoices" FOR EACH ROW WHEN (OLD.status <> 'draft' AND (
  OLD.id, OLD.organization_id, OLD.number, OLD.customer_name, OLD.customer_email, OLD.customer_address, OLD.currency,
  OLD.lines::text, OLD.taxes::text, OLD.subtotal_cents, OLD.tax_cents, OLD.total_cents, OLD.due_days, OLD.issued_at, OLD.due_at)
  IS DISTINCT FROM (
  NEW.id, NEW.organization_id, NEW.number, NEW.customer_name, NEW.customer_email, NEW.customer_address, NEW.currency,
  NEW.lines::text, NEW.taxes::text, NEW.subtotal_cents, NEW.tax_cents, NEW.total_cents, NEW.due_days, NEW.issued_at, NEW.due_at))
  EXECUTE FUNCTION refuse_change_of_document();
--> statement-breakpoint
CREATE TRIGGER invoices_not_deleted BEFORE DELETE ON "invoices" FOR EACH ROW WHEN (OLD.status <> 'draft')
  EXECUTE FUNCTION refuse_change_of_document();
--> statement-breakpoint
CREATE TRIGGER invoices_not_truncated BEFORE TRUNCATE ON "invoices" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TRIGGER credit_notes_not_changed BEFORE UPDATE OR DELETE ON "credit_notes" FOR EACH ROW
  EXECUTE FUNCTION refuse_change_of_document();
--> statement-breakpoint
CREATE TRIGGER credit_notes_not_truncated BEFORE TRUNCATE ON "credit_notes" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
