import { randomUUID } from 'node:crypto'
import t from 'tap'
import { type Answer, Client } from './client.ts'
import { startLintel } from './lintel.ts'
import { connect, emptyDatabase } from './postgres.ts'
import { startProxy } from './proxy.ts'
import { seeded } from './random.ts'
import { createTenant } from './tenant.ts'

/** `.ci/run` sets 1,000. */
const KEYS = Number(process.env.FAULT_KEYS ?? 250)
const DUPLICATES = 20
/** The number of keys in use at once, each with all its duplicates. */
const ABREAST = 4
const LOST_ANSWERS = Number(process.env.FAULT_COMMITS ?? 100)
/** One of this many answers is lost. */
const LOSS = 3
const CLIENTS = 8
const ROLLED_BACK = 10

t.test('concurrent duplicates of a request with a key: one effect, the same bytes for all', async t => {
  const databaseUrl = await emptyDatabase(t)
  const lintel = await startLintel(t, { databaseUrl })
  const { token, projectId } = await createTenant(lintel.base)
  const client = new Client({ base: lintel.base, token, connections: ABREAST * DUPLICATES })
  const keys = Array.from({ length: KEYS }, () => randomUUID())
  const different: string[] = []
  let firsts = 0

  const ask = async (key: string) => {
    const call = { method: 'POST', path: `/projects/${projectId}/tasks`, body: { title: key }, key } as const
    const answers = await Promise.all(Array.from({ length: DUPLICATES }, () => client.insist(call)))
    if (new Set(answers.map(fingerprint)).size !== 1) different.push(key)
    firsts += answers.filter(answer => answer.headers['idempotent-replayed'] === undefined).length
  }
  const waiting = keys.values()
  await Promise.all(
    Array.from({ length: ABREAST }, async () => {
      for (const key of waiting) await ask(key)
    }),
  )
  client.close()

  t.comment(`${KEYS} keys × ${DUPLICATES}: ${client.summary}`)
  t.strictSame(client.unexpected(201, 409, 503), [], 'every answer is 201, 409 or 503')
  t.equal(client.withoutRetryAfter, 0, 'every 409 carries Retry-After: 1')
  t.strictSame(different, [], 'every duplicate gets the same status, body, Location and ETag')
  t.equal(firsts, KEYS, 'all but one answer for each key is marked as a replay')
  t.strictSame(await effects(databaseUrl), { tasks: KEYS, titles: KEYS, events: KEYS }, 'one effect for each key')
})

t.test('the answer to a commit is lost: the retry with the same key finds the effect, never a second one', async t => {
  const random = seeded(t)
  const databaseUrl = await emptyDatabase(t)
  const proxy = await startProxy(t, databaseUrl)
  const lintel = await startLintel(t, { databaseUrl: proxy.url })
  const { token, projectId } = await createTenant(lintel.base)
  const client = new Client({ base: lintel.base, token, connections: CLIENTS })
  const answers = new Map<string, Answer>()
  proxy.cutsAnswer = () => proxy.cut < LOST_ANSWERS && random.below(LOSS) === 0

  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (proxy.cut < LOST_ANSWERS) {
        const key = randomUUID()
        const call = { method: 'POST', path: `/projects/${projectId}/tasks`, body: { title: key }, key } as const
        answers.set(key, await client.insist(call))
      }
    }),
  )
  client.close()

  const replayed = [...answers.values()].filter(answer => answer.headers['idempotent-replayed']).length
  t.comment(`${proxy.cut} answers lost, ${answers.size} keys, ${replayed} replayed: ${client.summary}`)
  t.strictSame(client.unexpected(201, 409, 503), [], 'every answer is 201, 409 or 503')
  t.equal(client.withoutRetryAfter, 0, 'every 409 and 503 says when to come again')
  t.ok(replayed > 0, 'retries were answered from the record')
  const { size } = answers
  t.strictSame(await effects(databaseUrl), { tasks: size, titles: size, events: size }, 'one effect for each key')
  t.strictSame(await untold(databaseUrl, answers), [], 'the answer names the task that is stored')
  t.equal(await lintel.end('SIGTERM'), 0, 'the process ends in order')
  t.strictSame(lintel.faults(), [], 'no error in its log')
})

t.test('a finished request is replayed to everybody who asks at once', async t => {
  const lintel = await startLintel(t, { databaseUrl: await emptyDatabase(t) })
  const { token, projectId } = await createTenant(lintel.base)
  const client = new Client({ base: lintel.base, token, connections: DUPLICATES })
  const call = { method: 'POST', path: `/projects/${projectId}/tasks`, body: { title: 'once' }, key: 'once' } as const
  await client.insist(call)
  await Promise.all(Array.from({ length: DUPLICATES }, () => client.call(call)))
  client.close()
  t.strictSame(Object.fromEntries(client.outcomes), { 201: DUPLICATES + 1 }, 'nobody is told to wait')
})

t.test('what is rolled back at its commit was never acknowledged, with a body or without', async t => {
  const proxy = await startProxy(t, await emptyDatabase(t))
  const lintel = await startLintel(t, { databaseUrl: proxy.url })
  const { token, projectId } = await createTenant(lintel.base)
  const client = new Client({ base: lintel.base, token, connections: 1 })
  proxy.cutsCommit = () => true
  for (let n = 0; n < ROLLED_BACK; n++) {
    const key = `key-${n}`
    await client.call({ method: 'POST', path: `/projects/${projectId}/tasks`, body: { title: 'Never' }, key })
    await client.call({ method: 'POST', path: '/auth/logout', body: { scope: 'others' }, key: `logout-${n}` })
  }
  client.close()
  t.ok(proxy.cut > 0, `${proxy.cut} commits cut`)
  t.strictSame(Object.fromEntries(client.outcomes), { 503: 2 * ROLLED_BACK }, 'every answer is 503')
  t.equal(client.withLocation, 0, 'no refusal names a resource')
})

const fingerprint = ({ status, body, headers }: Answer): string =>
  JSON.stringify([status, body, headers.location, headers.etag, headers['content-type']])

async function effects(url: string) {
  const database = await connect(url)
  const { rows } = await database.query(`
    select count(*)::int as tasks, count(distinct title)::int as titles,
      (select count(*)::int from events where type = 'task.created') as events
    from tasks`)
  await database.end()
  return rows[0]
}

/** Returns the titles whose stored task differs from the one in the response. */
async function untold(url: string, answers: Map<string, Answer>): Promise<string[]> {
  const database = await connect(url)
  const { rows } = await database.query<{ id: string; title: string }>('select id, title from tasks')
  await database.end()
  return rows.flatMap(({ id, title }) => (JSON.parse(answers.get(title)?.body ?? '{}').id === id ? [] : [title]))
}
