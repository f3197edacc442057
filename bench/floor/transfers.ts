import pg from 'pg'

// One transaction: two updates that lock the accounts in the order of their ids, and two inserts, each prepared. All is
// sent at once on a pipelined client, so the locks are held for one round trip; a balance that becomes negative breaks the
// constraint of the table, and the commit becomes a rollback.

/** As many as `openWrites`; each has its transactions in turn. */
const CLIENTS = 8

const UPDATE = `
  update accounts set balance_cents = balance_cents + $2::bigint, entry_count = entry_count + 1, version = version + 1,
    updated_at = now()
  where id = $1`

const TRANSFER = `
  insert into transfers (id, organization_id, from_account_id, to_account_id, amount_cents, currency, created_at)
  select $1, organization_id, $2, $3, $4::bigint, $5, $6 from accounts where id = $2 returning organization_id`

const ENTRIES = `
  insert into entries (account_id, seq, transfer_id, amount_cents, balance_cents, created_at)
  select id, entry_count, $1, case id when $2 then -$4::bigint else $4::bigint end, balance_cents, $5 from accounts
  where id in ($2, $3)`

export interface Move {
  id: string
  fromAccountId: string
  toAccountId: string
  amountCents: number
  currency: string
  createdAt: string
}

/** Returns a function that makes a transfer; it resolves to the organization of the accounts. */
export async function openTransfers(options: pg.ClientConfig): Promise<(move: Move) => Promise<string | undefined>> {
  const clients = Array.from(
    { length: CLIENTS },
    () => new pg.Client({ ...options, pipeline: true } as pg.ClientConfig),
  )
  await Promise.all(clients.map(client => client.connect()))
  let next = 0
  return move => transfer(clients[next++ % CLIENTS] as pg.Client, move)
}

async function transfer(client: pg.Client, move: Move): Promise<string | undefined> {
  const { id, fromAccountId, toAccountId, amountCents, currency, createdAt } = move
  const updates: [string, number][] = [
    [fromAccountId, -amountCents],
    [toAccountId, amountCents],
  ]
  if (fromAccountId > toAccountId) updates.reverse()
  const ends = { id, fromAccountId, toAccountId }
  const [, , , inserted] = await Promise.all([
    client.query('begin'),
    ...updates.map(values => client.query({ name: 'update', text: UPDATE, values })),
    client.query({
      name: 'transfer',
      text: TRANSFER,
      values: [...Object.values(ends), amountCents, currency, createdAt],
    }),
    client.query({ name: 'entries', text: ENTRIES, values: [...Object.values(ends), amountCents, createdAt] }),
    client.query('commit'),
  ])
  return inserted?.rows[0]?.organization_id
}

export const transferJson = (move: Move, organizationId: string): string =>
  JSON.stringify({
    ...move,
    organizationId,
    reference: null,
    reversesId: null,
    source: null,
    sourceId: null,
    createdBy: null,
  })
