import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { promised } from '../helpers/promised.ts'
import { Client, keepBusy } from './client.ts'
import { startLintel } from './lintel.ts'
import { startPostgres } from './postgres.ts'
import { seeded } from './random.ts'
import { createTenant } from './tenant.ts'
import { Writes } from './writes.ts'

const CONNECTIONS = 200
const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 2)
/** Usually it takes 0.5 s. A client that waits for a timeout takes longer. */
const RECOVER_BOUND_MS = promised(2_000, 10_000)
/** The time under load before each restart. */
const BETWEEN_MS = 700
const PAUSE_MS = 100

t.test('PostgreSQL restarted under load: 503 with Retry-After meanwhile, and service soon after', async t => {
  const random = seeded(t)
  const postgres = await startPostgres(t)
  const lintel = await startLintel(t, { databaseUrl: postgres.url })
  const { token, projectId } = await createTenant(lintel.base)
  const client = new Client({ base: lintel.base, token, connections: CONNECTIONS })
  const writes = new Writes(client, projectId, random)

  const stop = keepBusy(CONNECTIONS, async () => {
    if (random.below(2)) await writes.create()
    else await writes.read()
    // Refusals are immediate; without a pause the clients would use all CPU time for repeated requests.
    await sleep(random.below(PAUSE_MS))
  })
  for (let round = 0; round < ROUNDS; round++) {
    for (const mode of ['fast', 'immediate'] as const) {
      await sleep(BETWEEN_MS)
      const before = client.outcomes.get('503') ?? 0
      await postgres.restart(mode)
      const recoveredMs = await client.untilServed()
      t.ok(recoveredMs < RECOVER_BOUND_MS, `${mode}: served ${Math.round(recoveredMs)} ms after the server accepts`)
      t.ok((client.outcomes.get('503') ?? 0) > before, 'the restart was felt')
    }
  }
  await sleep(BETWEEN_MS)
  await stop()
  client.close()

  t.comment(client.summary)
  t.strictSame(client.unexpected(200, 201, 503), [], 'every answer is 2xx or 503')
  t.equal(client.withoutRetryAfter, 0, 'every 503 says when to come again')
  await writes.verifyAt(t, postgres.url)
  t.ok(await lintel.ready(), 'the process serves')
  t.equal(await lintel.end('SIGTERM'), 0, 'the process ends in order')
  t.strictSame(lintel.faults(), [], 'no error in its log')
})
