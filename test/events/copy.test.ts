import pg from 'pg'
import t from 'tap'
import { migrate } from '../../src/database/migrate.ts'
import { startPostgres } from '../faults/postgres.ts'
import { HANDED, Readers } from '../faults/readers.ts'
import { appOn, listen, testApp } from '../helpers/app.ts'

/** The table that is not copied: the target was migrated and has a row for its own server. */
const OWN = ['event_epoch']

/** Copies every row of `source`, table by table, like logical replication and most migrations between providers. */
async function copyRows(source: string, target: string): Promise<void> {
  const [from, to] = [new pg.Client(source), new pg.Client(target)]
  await Promise.all([from.connect(), to.connect()])
  // Like the apply worker of a subscription, this runs no triggers and checks no foreign keys.
  await to.query(HANDED)
  await to.query('set session_replication_role = replica')
  const { rows: tables } = await from.query(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
      and relname <> all($1)`,
    [OWN],
  )
  for (const { name } of tables) {
    const { rows } = await from.query(`select coalesce(json_agg(t), '[]')::text as rows from ${name} t`)
    await to.query(
      `insert into ${name} overriding system value select * from json_populate_recordset(null::${name}, $1)`,
      [rows[0].rows],
    )
  }
  await Promise.all([from.end(), to.end()])
}

const test = await testApp(t)
const { url: server } = await startPostgres(t)

async function prepare(name: string): Promise<string> {
  const client = new pg.Client(server)
  await client.connect()
  await client.query(`create database ${name}`).finally(() => client.end())
  const url = new URL(server)
  url.pathname = name
  await migrate(url.href)
  return url.href
}

const targets = { 'before the log began, so that its positions are the lower ones': await prepare('lower') }
// Begins a new epoch, as after a restart of the first server.
await test.sql(`update event_epoch set server_started_at = '-infinity'`)
await test.sql('select begin_event_epoch()')
const readers = await Readers.of(t, test, await listen(test.app))
Object.assign(targets, { 'after that, so that its positions are the higher ones': await prepare('higher') })

for (const [when, url] of Object.entries(targets))
  t.test(`rows are copied to a server that was prepared ${when}: every reader goes on`, async t => {
    const written = [...readers.written]
    await copyRows(test.config.databaseUrl, url)
    const copy = await appOn(t, url, test.config)
    await readers.goOn(t, copy, await listen(copy.app), written)
    readers.written = written
  })
