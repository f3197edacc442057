-- A plan that is made while a table is small stays as long as its connection: each key read the whole of idempotency_keys.
ALTER FUNCTION claim_keys(bytea[]) SET enable_seqscan = off;
--> statement-breakpoint
ALTER FUNCTION post_transfers(uuid[], uuid[], uuid[], uuid[], bigint[], text[], boolean[]) SET enable_seqscan = off;
