CREATE INDEX "entries_created_idx" ON "entries" USING brin ("created_at");--> statement-breakpoint
CREATE INDEX "transfers_created_idx" ON "transfers" USING brin ("created_at");--> statement-breakpoint
CREATE INDEX "payments_ended_idx" ON "payments" USING btree ("updated_at","id") WHERE status in ('succeeded', 'failed');