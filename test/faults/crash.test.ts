import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { freePort } from '../helpers/ports.ts'
import { Client, loop } from './client.ts'
import { startLintel } from './lintel.ts'
import { connect, emptyDatabase } from './postgres.ts'
import { seeded } from './random.ts'
import { createTenant } from './tenant.ts'
import { Writes } from './writes.ts'

const CLIENTS = 32
const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 2)
const LOAD_MS = 700

t.test('kill -9 of the API under writes: what was acknowledged is there, once', async t => {
  const random = seeded(t)
  const databaseUrl = await emptyDatabase(t)
  const port = await freePort()
  let lintel = await startLintel(t, { databaseUrl, port })
  const { token, projectId } = await createTenant(lintel.base)
  const client = new Client({ base: lintel.base, token, connections: CLIENTS })
  const writes = new Writes(client, projectId, random)

  for (let round = 0; round < ROUNDS; round++) {
    const { alive } = lintel
    const load = loop(
      CLIENTS,
      () => !alive(),
      () => writes.any(),
    )
    await sleep(LOAD_MS + random.below(LOAD_MS))
    await lintel.end('SIGKILL')
    lintel = await startLintel(t, { databaseUrl, port })
    await load
  }
  client.close()

  t.comment(`${ROUNDS} kills: ${client.summary}`)
  const broken = client.unexpected(200, 201, 409, 503).filter(outcome => !outcome.startsWith('broken ECONN'))
  t.strictSame(broken, [], 'a request is answered, or its connection breaks')
  const database = await connect(databaseUrl)
  await writes.verify(t, database).finally(() => database.end())
})
