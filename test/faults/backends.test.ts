import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import t from 'tap'
import { Client, keepBusy } from './client.ts'
import { startLintel } from './lintel.ts'
import { connect, emptyDatabase } from './postgres.ts'
import { faultMs, type Random, seeded } from './random.ts'
import { createTenant } from './tenant.ts'
import { Writes } from './writes.ts'

const CLIENTS = 32
const KILLS = 500
const PAUSE_MS = 12
const SECONDS = 12

t.test('backends terminated at random under writes: nothing lost, doubled, half done or unanswered', async t => {
  const random = seeded(t)
  const databaseUrl = await emptyDatabase(t)
  const lintel = await startLintel(t, { databaseUrl })
  const { token, projectId } = await createTenant(lintel.base)
  const client = new Client({ base: lintel.base, token, connections: CLIENTS })
  const writes = new Writes(client, projectId, random)
  const database = await connect(databaseUrl)
  t.teardown(() => database.end())

  const stop = keepBusy(CLIENTS, () => writes.any())
  const until = performance.now() + faultMs(SECONDS)
  let killed = 0
  while (killed < KILLS && performance.now() < until) {
    if (await terminateOne(database, random)) killed++
    await sleep(PAUSE_MS)
  }
  await stop()
  client.close()

  t.comment(`${killed} backends terminated; ${client.summary}`)
  t.ok(killed > 0, 'backends were terminated')
  t.strictSame(client.unexpected(200, 201, 409, 503), [], 'every answer is 2xx, 409 or 503')
  t.equal(client.withoutRetryAfter, 0, 'every 409 and 503 says when to come again')
  await writes.verify(t, database)
  t.ok(await lintel.ready(), 'the process serves')
  t.equal(await lintel.end('SIGTERM'), 0, 'the process ends in order')
  t.strictSame(lintel.faults(), [], 'no error in its log')
})

async function terminateOne(database: pg.Client, random: Random): Promise<boolean> {
  const { rows } = await database.query(
    `select pid from pg_stat_activity where datname = current_database() and application_name = 'lintel' order by pid`,
  )
  if (rows.length === 0) return false
  const answer = await database.query('select pg_terminate_backend($1) as done', [random.pick(rows).pid])
  return answer.rows[0].done
}
