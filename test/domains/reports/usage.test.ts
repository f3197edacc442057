import t from 'tap'
import { keepUsage } from '../../../src/domains/reports/service/usage.ts'
import { newId } from '../../../src/lib/ids.ts'
import { createKey, createOrganization } from '../../helpers/actors.ts'
import { anotherNode, testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createProject } from '../../helpers/factories.ts'

const test = await testApp(t)
const { app, sql } = test
const DAY_MS = 86_400_000
const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10)
const today = dayOf(Date.now())
const daysAgo = (n: number) => new Date(Date.now() - n * DAY_MS).toISOString()

type Tenant = Awaited<ReturnType<typeof createOrganization>>
const usage = async ({ id, admin }: Tenant, query = '') =>
  (await call(app, `GET /organizations/${id}/usage${query}`, { as: admin })).body

/** Inserts an event of a past moment, as if it had happened then. */
async function event({ id, member }: Tenant, type: string, at: number, actor: string | null = member.id) {
  const past = Math.floor(at).toString(16).padStart(12, '0')
  await sql(
    `insert into events (id, type, organization_id, actor_type, actor_id, target_type, target_id, data, created_at)
      values ($1, $2, $3, $4, $5, 'task', gen_random_uuid(), '{}', $6)`,
    [
      `${past.slice(0, 8)}-${past.slice(8)}${newId().slice(13)}`,
      type,
      id,
      actor === null ? 'system' : 'user',
      actor,
      new Date(at),
    ],
  )
}

t.test('today is counted from the event log as it is asked', async t => {
  const tenant = await createOrganization(test)
  const projectId = await createProject(test, { organizationId: tenant.id })
  for (const as of [tenant.member, tenant.member, tenant.admin]) {
    const { body } = await call(app, `POST /projects/${projectId}/tasks`, { as, body: { title: 'Task' } })
    if (as === tenant.admin) await call(app, `POST /tasks/${body.id}/complete`, { as })
  }
  const { days, from, to } = await usage(tenant)
  t.equal(days.length, 30)
  t.same([from, to], [`${dayOf(Date.now() - 29 * DAY_MS)}T00:00:00.000Z`, `${today}T00:00:00.000Z`])
  t.match(days.at(-1), { day: today, tasksCreated: 3, tasksCompleted: 1, tokens: 0, storageBytes: 0 })
  const [{ n }] = await sql(
    `select count(distinct actor_id)::int as n from events where organization_id = $1 and actor_type = 'user'`,
    [tenant.id],
  )
  t.equal(days.at(-1).activeUsers, n)
  t.match(days.at(-2), { tasksCreated: 0, activeUsers: 0 })
})

t.test('days that are over are kept, and outlive their events', async t => {
  const [tenant, other] = [await createOrganization(test), await createOrganization(test)]
  await sql(`update organizations set created_at = now() - interval '10 days' where id = any($1)`, [
    [tenant.id, other.id],
  ])
  const yesterday = Date.parse(`${dayOf(Date.now() - DAY_MS)}T00:00:00.000Z`)
  // The first and the last moment of the day, and the ones beside them.
  for (const at of [yesterday - 1, yesterday, yesterday + DAY_MS - 1]) await event(tenant, 'task.created', at)
  await event(tenant, 'task.completed', yesterday + 1, tenant.admin.id)
  await event(tenant, 'task.completed', yesterday + 1, null)
  await event(other, 'task.created', yesterday)
  await sql('insert into file_usage (organization_id, bytes) values ($1, 500)', [tenant.id])
  const before = (await usage(tenant)).days.slice(-3, -1)
  t.match(before, [
    { tasksCreated: 1, activeUsers: 1 },
    { tasksCreated: 2, tasksCompleted: 2, activeUsers: 2 },
  ])
  const keep = () => app.database.transaction(tx => keepUsage(tx))
  await Promise.all([keep(), keep()])
  await sql('update file_usage set bytes = 900 where organization_id = $1', [tenant.id])
  await keep()
  const after = (await usage(tenant)).days
  t.match(
    after.slice(-3, -1),
    before.map((day: object) => ({ ...day, storageBytes: 500 })),
  )
  t.equal(after.at(-1).storageBytes, 900)
  await event(tenant, 'task.created', yesterday)
  t.equal((await usage(tenant)).days.at(-2).tasksCreated, 2, 'what is kept is not counted again')
  await keep()
  t.equal((await usage(tenant)).days.at(-2).tasksCreated, 3, 'until the job looks once more')
  t.match((await usage(other)).days.at(-2), { tasksCreated: 1, storageBytes: 0 })
})

t.test('after a standstill every day since the last is kept', async t => {
  const tenant = await createOrganization(test)
  await sql(`update organizations set created_at = now() - interval '40 days' where id = $1`, [tenant.id])
  await sql('delete from usage_days where day > current_date - 26')
  for (const days of [25, 14, 3]) await event(tenant, 'task.created', Date.now() - days * DAY_MS)
  let batches = 1
  while (await app.database.transaction(tx => keepUsage(tx))) batches++
  t.ok(batches > 1)
  const [{ n }] = await sql('select count(*)::int as n from usage_days where organization_id = $1', [tenant.id])
  t.equal(n, 25)
  const { days } = await usage(tenant)
  t.same(
    days.filter((day: { tasksCreated: number }) => day.tasksCreated > 0).map(({ day }: { day: string }) => day),
    [25, 14, 3].map(ago => dayOf(Date.now() - ago * DAY_MS)),
  )
})

t.test('requests of API keys are counted on every node, and written when a process stops', async t => {
  const tenant = await createOrganization(test)
  const key = await createKey(test, tenant.id, 'usage:read', 'organization:read')
  const node = await anotherNode(t, test)
  for (let n = 0; n < 4; n++) await call(node, `GET /organizations/${tenant.id}/usage`, { as: key })
  for (let n = 0; n < 3; n++) await call(node, `GET /organizations/${tenant.id}`, { as: key })
  await call(node, `GET /organizations/${tenant.id}/usage`, { as: tenant.admin })
  t.equal((await usage(tenant)).days.at(-1).requests, 0)
  await node.close()
  t.equal((await usage(tenant)).days.at(-1).requests, 7)
})

t.test('a range is of whole days, in order, and at most a year', async t => {
  const tenant = await createOrganization(test)
  const { days } = await usage(tenant, '?from=2026-02-27T23:59:59%2B02:00&to=2026-03-01T00:00:00Z')
  t.same(
    days.map(({ day }: { day: string }) => day),
    ['2026-02-27', '2026-02-28', '2026-03-01'],
  )
  for (const query of [
    `?from=${daysAgo(1)}&to=${daysAgo(2)}`,
    `?from=${daysAgo(400)}`,
    '?from=yesterday',
    '?from=2026-02-30T00:00:00Z',
  ])
    t.match(await usage(tenant, query), { status: 422, errors: [{ parameter: 'from' }] }, query)
})
