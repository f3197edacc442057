CREATE INDEX "events_actor_order_idx" ON "events" USING btree ("actor_id","xid","seq");--> statement-breakpoint
CREATE INDEX "events_target_idx" ON "events" USING btree ("target_id");