import t, { type Test } from 'tap'
import { Client, keepBusy } from './client.ts'
import { Fleet, withoutBalancer } from './fleet.ts'
import { emptyDatabase } from './postgres.ts'
import { seeded } from './random.ts'
import { createTenant } from './tenant.ts'
import { Writes } from './writes.ts'

const CLIENTS = 40
/** The number of restarts, and of kills: 12 is the length of a whole run. */
const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 2)
/** A connection for each client on each node, and time to open it: on a busy machine no request may be refused for one. */
const env = { DATABASE_POOL: String(CLIENTS), DATABASE_ACQUIRE_MS: '30000' }
const skip = withoutBalancer

t.test('rolling restarts behind the balancer: no request of a keep-alive client fails', { skip }, async t => {
  const { fleet, clientOf, random, projectId, databaseUrl } = await populated(t)
  const client = clientOf()
  const writes = new Writes(client, projectId, random)
  const stop = keepBusy(CLIENTS, () =>
    random.pick([() => writes.create(), () => writes.createOnce(), () => writes.read()])(),
  )
  for (let round = 0; round < ROUNDS; round++) t.equal(await fleet.replace(round, 'SIGTERM'), 0, 'a node ends in order')
  await stop()
  client.close()
  t.comment(`${ROUNDS} restarts: ${client.summary}`)
  t.strictSame(client.unexpected(200, 201, 409), [], 'no request fails')
  await writes.verifyAt(t, databaseUrl)
})

t.test('nodes killed in turn: no read fails, no write with a key is lost or doubled', { skip }, async t => {
  const { fleet, clientOf, random, projectId, databaseUrl } = await populated(t)
  const [reader, writer] = [clientOf(), clientOf()]
  const writes = new Writes(writer, projectId, random)
  const list = `/projects/${projectId}/tasks`
  const stops = [
    keepBusy(CLIENTS / 2, () => writes.createOnce()),
    keepBusy(CLIENTS / 2, () => reader.call({ method: 'GET', path: random.pick([list, `/projects/${projectId}`]) })),
  ]
  for (let round = 0; round < ROUNDS; round++) t.equal(await fleet.replace(round, 'SIGKILL'), 'SIGKILL')
  await Promise.all(stops.map(stop => stop()))
  for (const client of [reader, writer]) client.close()
  t.comment(`${ROUNDS} kills: reads ${reader.summary}; writes ${writer.summary}`)
  t.strictSame(reader.unexpected(200), [], 'no read fails')
  await writes.verifyAt(t, databaseUrl)
})

async function populated(t: Test) {
  const random = seeded(t)
  const databaseUrl = await emptyDatabase(t)
  const fleet = await Fleet.start(t, { databaseUrl, env })
  const { token, projectId } = await createTenant(fleet.base)
  const clientOf = () => new Client({ base: fleet.base, token, connections: CLIENTS })
  return { fleet, clientOf, random, projectId, databaseUrl }
}
