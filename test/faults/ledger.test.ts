import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import t from 'tap'
import { Client } from './client.ts'
import { type Lintel, startLintel } from './lintel.ts'
import { connect, emptyDatabase } from './postgres.ts'
import { seeded } from './random.ts'
import { createTenant } from './tenant.ts'

/** The full size: `LEDGER_TRANSFERS=50000 LEDGER_KILLS=50 TAP_TIMEOUT=3600`. */
const TRANSFERS = Number(process.env.LEDGER_TRANSFERS ?? 1_000)
const KILLS = Number(process.env.LEDGER_KILLS ?? 6)
const ACCOUNTS = 100
const CLIENTS = 32
const SNAPSHOT_MS = 50
const OPENING_CENTS = 1_000
const MAX_CENTS = 400
/** Every so many kills end a process, all others a backend. */
const PROCESS_EVERY = 3

/** Opens the books by SQL, because only an admin of the platform could fill accounts through the API. */
const OPEN = `
  with bank as (insert into accounts (id, organization_id, kind, currency, balance_cents, entry_count)
    values (gen_random_uuid(), $1, 'system', 'EUR', -$2::bigint * $3, $3) returning id),
  normal as (insert into accounts (id, organization_id, kind, currency, balance_cents, entry_count)
    select gen_random_uuid(), $1, 'normal', 'EUR', $2::bigint, 1 from generate_series(1, $3::int) returning id),
  made as (insert into transfers (id, organization_id, from_account_id, to_account_id, amount_cents, currency)
    select gen_random_uuid(), $1, bank.id, normal.id, $2::bigint, 'EUR' from bank, normal returning *),
  numbered as (select *, row_number() over () as n from made),
  entered as (insert into entries (account_id, seq, transfer_id, amount_cents, balance_cents)
    select from_account_id, n, id, -amount_cents, -amount_cents * n from numbered
    union all select to_account_id, 1, id, amount_cents, amount_cents from numbered)
  select id from normal`

const SNAPSHOT = `
  select sum(balance_cents)::text as sum, min(balance_cents) filter (where kind = 'normal')::int as least,
    (select count(*)::int from (
      select from entries group by transfer_id having sum(amount_cents) <> 0 or count(*) <> 2) e) as unbalanced
  from accounts`

t.test('transfers between few accounts, while processes and backends are killed: the books always balance', async t => {
  const random = seeded(t)
  const databaseUrl = await emptyDatabase(t)
  const processes = [await startLintel(t, { databaseUrl }), await startLintel(t, { databaseUrl })] as [Lintel, Lintel]
  const { token, organizationId } = await createTenant(processes[0].base)
  const database = await connect(databaseUrl)
  t.teardown(() => database.end())
  const { rows } = await database.query<{ id: string }>(OPEN, [organizationId, OPENING_CENTS, ACCOUNTS])
  const accounts = rows.map(({ id }) => id)
  const clients = processes.map(({ base }) => new Client({ base, token, connections: CLIENTS }))
  const acknowledged = new Set<string>()
  let [left, over] = [TRANSFERS, false]

  /** Sends the same request with the same key until it is answered, by whichever process answers. */
  const settle = async (): Promise<void> => {
    const [fromAccountId, toAccountId] = [random.pick(accounts), random.pick(accounts)]
    if (fromAccountId === toAccountId) return
    const body = { fromAccountId, toAccountId, amountCents: 1 + random.below(MAX_CENTS), currency: 'EUR' }
    const call = { method: 'POST', path: '/transfers', body, key: randomUUID() } as const
    for (;;) {
      const answer = await (clients[random.below(clients.length)] as Client).call(call)
      if (answer?.status === 201) acknowledged.add(JSON.parse(answer.body).id)
      const refused = answer?.status === 409 && answer.body.includes('insufficient_funds')
      if (answer?.status === 201 || refused || (answer && answer.status < 500 && answer.status !== 409)) return
      await sleep(SNAPSHOT_MS)
    }
  }
  const work = Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (left-- > 0) await settle()
    }),
  )
  const faults: string[] = []
  let snapshots = 0
  const watch = (async () => {
    while (!over) {
      const { rows } = await database.query(SNAPSHOT)
      const [{ sum, least, unbalanced }] = rows
      if (sum !== '0' || least < 0 || unbalanced > 0) faults.push(JSON.stringify(rows[0]))
      snapshots++
      await sleep(SNAPSHOT_MS)
    }
  })()

  const killer = await connect(databaseUrl)
  t.teardown(() => killer.end())
  for (let kill = 0; kill < KILLS && left > 0; kill++) {
    const goal = TRANSFERS - ((kill + 1) * TRANSFERS) / (KILLS + 1)
    while (left > goal) await sleep(SNAPSHOT_MS)
    if (kill % PROCESS_EVERY === 0) await replace(t, databaseUrl, processes, clients, random.below(2))
    else await terminateOne(killer, random.below)
  }
  await work
  over = true
  await watch
  for (const client of clients) client.close()

  t.comment(
    `${acknowledged.size} transfers, ${snapshots} snapshots; ${clients.map(({ summary }) => summary).join(' | ')}`,
  )
  t.ok(acknowledged.size > 0 && snapshots > 1)
  t.strictSame(faults, [], 'in every snapshot the sum is constant, nothing is negative, each transfer adds up to zero')
  t.strictSame(
    clients.flatMap(client => client.unexpected(201, 409, 503)).filter(outcome => !outcome.startsWith('broken')),
    [],
    'every answer is 201, 409 or 503',
  )
  const { rows: made } = await database.query('select id from transfers where created_by is not null')
  t.strictSame(
    new Set(made.map(({ id }) => id)),
    acknowledged,
    'every acknowledged transfer is there once, and no other',
  )
  const { rows: wrong } = await database.query(
    `select from accounts a where balance_cents <> (select sum(amount_cents) from entries where account_id = a.id)
      or entry_count <> (select max(seq) from entries where account_id = a.id)`,
  )
  t.equal(wrong.length, 0, 'every balance is the sum of its entries')
  const logs = processes.flatMap(lintel => lintel.faults())
  t.strictSame(logs, [], 'no error in the logs, and so no deadlock')
})

/** Kills a process and starts another in its place. */
async function replace(
  t: Parameters<typeof seeded>[0],
  databaseUrl: string,
  processes: Lintel[],
  clients: Client[],
  at: number,
) {
  await processes[at]?.end('SIGKILL')
  const lintel = await startLintel(t, { databaseUrl })
  processes[at] = lintel
  ;(clients[at] as Client).base = lintel.base
}

async function terminateOne(database: pg.Client, below: (limit: number) => number): Promise<void> {
  const { rows } = await database.query(
    `select pid from pg_stat_activity where datname = current_database() and application_name = 'lintel' order by pid`,
  )
  if (rows.length > 0) await database.query('select pg_terminate_backend($1)', [rows[below(rows.length)].pid])
}
