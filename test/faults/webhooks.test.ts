import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { newId } from '../../src/lib/ids.ts'
import { eventually } from '../helpers/mail.ts'
import { freePort } from '../helpers/ports.ts'
import { receiver } from '../helpers/webhooks.ts'
import { startLintel } from './lintel.ts'
import { connect, emptyDatabase } from './postgres.ts'
import { seeded } from './random.ts'
import { createTenant } from './tenant.ts'

const KILLS = Number(process.env.FAULT_ROUNDS ?? 10)
const EVENTS_PER_KILL = 200
const CANARY = 'canary-of-a-body'
/** Short, so that the endpoints of a killed process are soon delivered to by the other. */
const env = { WEBHOOK_TIMEOUT_MS: '1000', OUTBOUND_ALLOW: '127.0.0.1', LOG_LEVEL: 'debug' }
const ENDPOINTS = 4

t.test('kill -9 of a process that delivers: every committed event arrives, none that was rolled back', async t => {
  const random = seeded(t)
  const databaseUrl = await emptyDatabase(t)
  const port = await freePort()
  let killed = await startLintel(t, { databaseUrl, port, env })
  const other = await startLintel(t, { databaseUrl, env })
  const { token, organizationId } = await createTenant(killed.base)
  const to = await receiver(t, (_, response) => void setTimeout(() => response.end(), 5))
  const secrets: string[] = []
  for (let n = 0; n < ENDPOINTS; n++) secrets.push(await createWebhook(n))
  const database = await connect(databaseUrl)
  t.teardown(() => database.end())
  const insert = async (end: 'commit' | 'rollback', count: number): Promise<string[]> => {
    const ids = Array.from({ length: count }, newId)
    await database.query('begin')
    await database.query(
      `insert into events (id, type, organization_id, actor_type, target_type, target_id, data)
        select id, 'task.created', $2, 'system', 'task', id, jsonb_build_object('id', id, 'title', $3::text)
        from unnest($1::uuid[]) id`,
      [ids, organizationId, CANARY],
    )
    await database.query(end)
    return ids
  }

  const committed: string[] = []
  const rolledBack: string[] = []
  const logs: string[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    for (let part = 0; part < 4; part++) {
      committed.push(...(await insert('commit', EVENTS_PER_KILL / 4)))
      rolledBack.push(...(await insert('rollback', 2)))
      await sleep(random.below(150))
    }
    await killed.end('SIGKILL')
    logs.push(killed.log())
    killed = await startLintel(t, { databaseUrl, port, env })
  }

  const got = () => new Map(Map.groupBy(to.received, ({ path }) => path))
  const idsAt = (n: number) =>
    new Set(
      got()
        .get(`/${n}`)
        ?.map(({ id }) => id),
    )
  for (let n = 0; n < ENDPOINTS; n++)
    await eventually(
      async () => committed.every(id => idsAt(n).has(id)),
      `all ${committed.length} events at endpoint ${n}`,
    )
  const all = new Set(to.received.map(({ id }) => id))
  t.strictSame(
    rolledBack.filter(id => all.has(id)),
    [],
    'nothing that was rolled back',
  )
  t.equal(to.most.twice, 0, 'no event was on its way to one endpoint twice at once')
  t.comment(`${KILLS} kills, ${committed.length} events, ${to.received.length} requests to ${ENDPOINTS} endpoints`)
  t.strictSame([...killed.faults(), ...other.faults()], [])
  const log = [...logs, killed.log(), other.log()].join('\n')
  const found = [CANARY, 'v1,', ...secrets, ...secrets.map(secret => secret.slice(6))].filter(text =>
    log.includes(text),
  )
  t.strictSame(found, [], 'no log has a secret, a signature or a body')

  async function createWebhook(n: number): Promise<string> {
    const answer = await fetch(`${killed.base}/api/v1/organizations/${organizationId}/webhooks`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ url: `${to.url}${n}`, eventTypes: ['*'] }),
    })
    if (answer.status !== 201) throw new Error(await answer.text())
    return ((await answer.json()) as { secret: string }).secret
  }
})
