CREATE TABLE "event_epoch" (
	"id" smallint PRIMARY KEY DEFAULT 1 NOT NULL,
	"base" bigint NOT NULL,
	"server_started_at" timestamp with time zone NOT NULL,
	"begun_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "event_epoch_one_row" CHECK ("event_epoch"."id" = 1)
);
--> statement-breakpoint
ALTER TABLE "event_cursors" RENAME COLUMN "xid" TO "position";--> statement-breakpoint
ALTER TABLE "events" RENAME COLUMN "xid" TO "position";--> statement-breakpoint
-- Class 57 is answered with 503: the event may be written as soon as an epoch of this server has begun.
CREATE FUNCTION refuse_event() RETURNS xid8 LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the event log has no epoch of this server yet'
    USING ERRCODE = 'cannot_connect_now', HINT = 'select begin_event_epoch()';
END
$$;
--> statement-breakpoint
-- The default of events.position. begin_event_epoch() puts constants in place of this body, and the planner puts the body in
-- place of the call.
CREATE FUNCTION event_position() RETURNS xid8 LANGUAGE sql AS 'select public.refuse_event()';--> statement-breakpoint
ALTER TABLE "events" ALTER COLUMN "position" SET DEFAULT event_position();--> statement-breakpoint
-- Whether events are numbered by the server that runs now, and all that are stored lie below its next transaction.
CREATE FUNCTION event_epoch_is_current() RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM public.event_epoch e
    WHERE e.server_started_at = pg_postmaster_start_time() AND coalesce((
      SELECT position < (e.base + pg_snapshot_xmax(pg_current_snapshot())::text::bigint)::text::xid8
      FROM public.events ORDER BY position DESC LIMIT 1), true))
$$;
--> statement-breakpoint
-- Begins an epoch where the present one is not of this server; returns whether it did. The lock lets readers and pg_dump
-- go on, waits for whoever has written an event, and keeps a second caller waiting. It runs with the rights of its owner, so
-- that the service needs none but to call it.
CREATE FUNCTION begin_event_epoch() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
  new_base bigint;
BEGIN
  IF pg_is_in_recovery() OR event_epoch_is_current() THEN RETURN false; END IF;
  LOCK TABLE public.events IN SHARE ROW EXCLUSIVE MODE;
  IF event_epoch_is_current() THEN RETURN false; END IF;
  SELECT greatest(
      (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
      (SELECT position::text::bigint + 1 FROM public.events ORDER BY position DESC LIMIT 1),
      (SELECT max(position)::text::bigint + 1 FROM public.event_cursors)
    ) - pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    INTO new_base;
  EXECUTE format(
    $define$CREATE OR REPLACE FUNCTION public.event_position() RETURNS xid8 LANGUAGE sql AS $body$
      SELECT CASE WHEN pg_postmaster_start_time() = %L::timestamptz
        THEN (%s + pg_current_xact_id()::text::bigint)::text::xid8 ELSE public.refuse_event() END $body$ $define$,
    pg_postmaster_start_time(), new_base);
  INSERT INTO public.event_epoch (base, server_started_at) VALUES (new_base, pg_postmaster_start_time())
    ON CONFLICT (id) DO UPDATE SET base = excluded.base, server_started_at = excluded.server_started_at, begun_at = now();
  RETURN true;
END
$$;
