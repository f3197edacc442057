CREATE TABLE "event_horizon" (
	"id" smallint PRIMARY KEY DEFAULT 1 NOT NULL,
	"position" "xid8" NOT NULL,
	"seq" bigint NOT NULL,
	CONSTRAINT "event_horizon_one_row" CHECK ("event_horizon"."id" = 1)
);
--> statement-breakpoint
-- Events at or before the horizon may be deleted; what follows it stays as it was written.
CREATE FUNCTION refuse_deletion_of_event() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM public.event_horizon WHERE (position, seq) >= (OLD.position, OLD.seq)) THEN RETURN OLD; END IF;
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
--> statement-breakpoint
DROP TRIGGER events_append_only ON "events";--> statement-breakpoint
CREATE TRIGGER events_append_only BEFORE UPDATE OR TRUNCATE ON "events" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();--> statement-breakpoint
CREATE TRIGGER events_retained BEFORE DELETE ON "events" FOR EACH ROW EXECUTE FUNCTION refuse_deletion_of_event();
