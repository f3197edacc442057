import t from 'tap'
import type { Query } from '../../../src/database/query.ts'
import { createOrganization, createUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { eventually } from '../../helpers/mail.ts'
import { planOf, rowsRead } from '../../helpers/plans.ts'
import { recordStatements } from '../../helpers/statements.ts'

/** One event a second since `START`, each in its own transaction; each fiftieth is by the admin, and each target has three. */
const EVENTS = 100_000
const START = Date.parse('2026-01-01T00:00:00.000Z')
/** The most rows that a page may read: far fewer than the whole log. */
const FEW = 1_000

const test = await testApp(t)
const { app, sql, config } = test
const { id: organizationId, admin, owner } = await createOrganization(test)
const platformAdmin = await createUser(test, { role: 'admin' })
await sql(
  `insert into events (id, position, type, organization_id, actor_type, actor_id, target_type, target_id, data, created_at)
    select (lpad(to_hex($4::bigint + n * 1000), 12, '0') || '7000a000' || lpad(to_hex(n), 12, '0'))::uuid, n::text::xid8,
      (array['task.created', 'task.updated', 'comment.created'])[1 + n % 3], $1, 'user',
      case when n % 50 = 0 then $2::uuid else $3::uuid end, 'task', md5((n / 3)::text)::uuid,
      jsonb_build_object('title', 'Task number ' || n), to_timestamp($4::bigint / 1000 + n)
    from generate_series(1, ${EVENTS}) n`,
  [organizationId, admin.id, owner.id, START],
)
await sql('analyze events')

const [{ target_id: targetId }] = await sql(`select target_id from events where position = '30000'`)
const at = (second: number) => new Date(START + second * 1_000).toISOString()
const seen = recordStatements(app)

async function read(path: string, as = admin) {
  seen.length = 0
  const { status, body } = await call(app, `GET ${path}`, { as })
  const [statement, ...more] = seen.filter(({ name }) => name.startsWith('events.'))
  if (status !== 200 || more.length > 0) throw new Error(`${path}: ${status}, ${more.length} more statements`)
  return { body, plan: await planOf(config.databaseUrl, statement as Query) }
}

const questions = {
  '': 20,
  [`targetId=${targetId}`]: 3,
  [`actorId=${admin.id}`]: 20,
  'type=task.created': 20,
  [`since=${at(EVENTS - 4)}`]: 5,
  [`until=${at(4)}`]: 3,
  [`since=${at(50_000)}&until=${at(50_010)}`]: 10,
  [`since=${at(50_000)}&until=${at(50_010)}&type=task.updated`]: 3,
  'since=2999-01-01T00:00:00.000Z': 0,
}

for (const [of, path, as] of [
  ['an organization', `/organizations/${organizationId}/events`, admin],
  ['the platform', '/audit/events', platformAdmin],
] as const) {
  t.test(`each question to the log of ${of} is answered by an index, from few of 100,000 rows`, async t => {
    for (const [query, rows] of Object.entries(questions)) {
      const { body, plan } = await read(`${path}?${query}`, as)
      t.equal(body.data.length, rows, query)
      t.notOk(
        plan.some(node => node['Node Type'] === 'Seq Scan'),
        `${query} scans no table`,
      )
      t.ok(rowsRead(plan) < FEW, `${query} reads ${rowsRead(plan)} rows`)
    }
  })

  t.test(`a page deep in the log of ${of} costs what the first does`, async t => {
    const { body } = await read(`${path}?until=${at(1_000)}`, as)
    const { plan } = await read(`${path}?until=${at(1_000)}&cursor=${body.meta.nextCursor}`, as)
    t.notOk(plan.some(node => /Seq Scan|Sort/.test(node['Node Type'])))
    t.ok(rowsRead(plan) < FEW)
  })
}

t.test('a stream reads on by an index, from few rows', async t => {
  const { body } = await read(`/events?organizationId=${organizationId}&limit=100`)
  seen.length = 0
  const url = `/api/v1/organizations/${organizationId}/events/stream?cursor=${body.meta.nextCursor}`
  const answer = await app.inject({ url, headers: admin.headers, payloadAsStream: true })
  t.teardown(() => answer.raw.res.destroy())
  const look = await eventually(async () => seen.find(({ name }) => name === 'events.after'), 'a look')
  const plan = await planOf(config.databaseUrl, look)
  t.notOk(plan.some(node => /Seq Scan|Sort/.test(node['Node Type'])))
  t.ok(plan.some(node => node['Index Name'] === 'events_organization_order_idx'))
  t.ok(rowsRead(plan) < FEW, `${rowsRead(plan)} rows`)
})
