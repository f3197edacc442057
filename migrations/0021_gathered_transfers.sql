-- Returns those of the idempotency keys that are free, and locks them until the commit. Each statement of a volatile function has
-- a snapshot of its own: the look-up sees the commit of whoever had a lock before. The lock is of the first eight bytes, as
-- the server takes it for a request alone.
CREATE FUNCTION claim_keys(ids bytea[]) RETURNS TABLE (id bytea) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  locked bytea[];
BEGIN
  SELECT array_agg(k.id) INTO locked FROM unnest(ids) k(id)
  WHERE pg_try_advisory_xact_lock(('x' || encode(substr(k.id, 1, 8), 'hex'))::bit(64)::bigint);
  RETURN QUERY SELECT k.id FROM unnest(locked) k(id)
  WHERE NOT EXISTS (SELECT FROM idempotency_keys i WHERE i.id = k.id AND i.created_at > now() - interval '24 hours');
END $$;
--> statement-breakpoint
-- Judges transfers one after another and writes the balances of those that can be made; returns two entries for each of them.
-- Left out are a transfer whose accounts do not exist, are the same, of another organization or currency, or system accounts that its caller
-- may not use, and one that a balance does not allow as the transfers before it have left it. The accounts are locked in the
-- order of their ids, as everywhere. Who has one of them locked for half a second does not hold up the others: then what
-- concerns it is left out. All is in one subtransaction, because a row that one subtransaction locks and another changes costs a
-- multixact.
CREATE FUNCTION post_transfers(
  ids uuid[], froms uuid[], tos uuid[], organizations uuid[], amounts bigint[], currencies text[], may_use_system boolean[]
) RETURNS TABLE (transfer_id uuid, account_id uuid, seq bigint, amount bigint, balance bigint) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  bound CONSTANT bigint := 9007199254740991;
  known uuid[];
  owners uuid[];
  denominations text[];
  systems boolean[];
  balances bigint[];
  -- The least that a balance may become.
  floors bigint[];
  counts bigint[];
  move record;
  source bigint;
  target bigint;
BEGIN
  FOR attempt IN 1..2 LOOP
    BEGIN
      IF attempt = 1 THEN
        PERFORM set_config('lock_timeout', '500ms', true);
        SELECT array_agg(a.id), array_agg(a.organization_id), array_agg(a.currency), array_agg(a.kind = 'system'),
          array_agg(a.balance_cents), array_agg(CASE a.kind WHEN 'system' THEN -bound ELSE a.held_cents END), array_agg(a.entry_count)
        INTO known, owners, denominations, systems, balances, floors, counts
        FROM (SELECT * FROM accounts WHERE accounts.id = ANY(froms || tos) ORDER BY accounts.id FOR NO KEY UPDATE) a;
      ELSE
        SELECT array_agg(a.id), array_agg(a.organization_id), array_agg(a.currency), array_agg(a.kind = 'system'),
          array_agg(a.balance_cents), array_agg(CASE a.kind WHEN 'system' THEN -bound ELSE a.held_cents END), array_agg(a.entry_count)
        INTO known, owners, denominations, systems, balances, floors, counts
        FROM (SELECT * FROM accounts WHERE accounts.id = ANY(froms || tos) ORDER BY accounts.id FOR NO KEY UPDATE SKIP LOCKED) a;
      END IF;
      FOR move IN
        SELECT t.id, t.amount, f.at AS source, o.at AS target
        FROM unnest(ids, froms, tos, organizations, amounts, currencies, may_use_system)
          WITH ORDINALITY t(id, from_id, to_id, organization_id, amount, currency, may_use_system, n)
        JOIN unnest(known, owners, denominations, systems) WITH ORDINALITY f(id, organization_id, currency, system, at)
          ON f.id = t.from_id AND f.organization_id = t.organization_id AND f.currency = t.currency
        JOIN unnest(known, owners, denominations, systems) WITH ORDINALITY o(id, organization_id, currency, system, at)
          ON o.id = t.to_id AND o.organization_id = t.organization_id AND o.currency = t.currency
        WHERE t.from_id <> t.to_id AND (t.may_use_system OR NOT (f.system OR o.system))
        ORDER BY t.n
      LOOP
        source := balances[move.source] - move.amount;
        target := balances[move.target] + move.amount;
        CONTINUE WHEN source < floors[move.source] OR target > bound;
        balances[move.source] := source;
        balances[move.target] := target;
        counts[move.source] := counts[move.source] + 1;
        counts[move.target] := counts[move.target] + 1;
        transfer_id := move.id;
        account_id := known[move.source]; seq := counts[move.source]; amount := -move.amount; balance := source;
        RETURN NEXT;
        account_id := known[move.target]; seq := counts[move.target]; amount := move.amount; balance := target;
        RETURN NEXT;
      END LOOP;
      UPDATE accounts a SET balance_cents = n.balance, entry_count = n.count, version = a.version + (n.count - a.entry_count)::integer,
        updated_at = now()
      FROM unnest(known, balances, counts) n(id, balance, count) WHERE a.id = n.id AND a.entry_count <> n.count;
      RETURN;
    EXCEPTION WHEN lock_not_available THEN
      NULL;
    END;
  END LOOP;
END $$;
