import t, { type Test } from 'tap'
import { deleteEvents } from '../../../src/domains/audit/queries/retention.ts'
import { passHorizon } from '../../../src/domains/audit/service/retention.ts'
import { listen, testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { EventStreamClient } from '../../helpers/event-stream.ts'
import { openSocket } from '../../helpers/live.ts'
import { eventually } from '../../helpers/mail.ts'
import { createTenant, postTask, type Tenant } from './tenant.ts'

const DAYS = 30
/** More than one batch, and not a multiple of it. */
const MANY = 2_345

const test = await testApp(t, { works: true, eventRetentionDays: DAYS })
const { app, sql } = test
const base = await listen(app)

/** Inserts events of this age, in one transaction; returns their ids in the order of the log. */
const insertOld = async ({ id, projectId }: Tenant, days: number, count = 1): Promise<string[]> =>
  (
    await sql(
      `insert into events (id, type, organization_id, actor_type, target_type, target_id, data, created_at)
       select gen_random_uuid(), 'project.updated', $1, 'system', 'project', $2, '{}', now() - make_interval(days => $3)
       from generate_series(1, $4) returning id, seq`,
      [id, projectId, days, count],
    )
  )
    .toSorted((a: { seq: string }, b: { seq: string }) => Number(a.seq) - Number(b.seq))
    .map(({ id }: { id: string }) => id)

const read = ({ id, admin }: Tenant, query = '', limit = 100) =>
  call(app, `GET /events?organizationId=${id}&limit=${limit}${query}`, { as: admin })
const idsIn = (body: { data: { id: string }[] }) => body.data.map(({ id }) => id)
const stored = async (ids: string[]): Promise<number> =>
  (await sql('select from events where id = any($1)', [ids])).length

const unread = async (id: string | undefined): Promise<unknown[]> =>
  sql(
    `select from events e, event_cursors c
     where e.id = $1 and c.subscriber <> 'slow' and (c.position, c.seq) < (e.position, e.seq)`,
    [id],
  )

/** Waits until the feed and the subscribers have the event: an older transaction may still hold it back. */
const settled = (tenant: Tenant, id: string | undefined) =>
  eventually(
    async () =>
      idsIn((await read(tenant, '&type=project.updated')).body).includes(id as string) &&
      (await unread(id)).length === 0,
    'the feed and the subscribers have it',
  )

async function expire(days = DAYS): Promise<void> {
  const horizon = await passHorizon(app.database, days)
  while (horizon && (await deleteEvents(app.database, horizon)) > 0);
}

/** Creates a tenant and deletes all events so far: the horizon stops at the first young event. */
async function tenantOfEmptyLog(): Promise<Tenant> {
  const tenant = await createTenant(test)
  await eventually(async () => {
    await expire(-1)
    return (await sql('select from events')).length === 0
  }, 'the log is empty')
  return tenant
}

/** A tenant with two old events and a new one, and the cursors of the feed after each old event. */
async function tenantWithOldEvents() {
  const tenant = await tenantOfEmptyLog()
  const old = await insertOld(tenant, DAYS + 1, 2)
  const [fresh] = await insertOld(tenant, DAYS - 1)
  await settled(tenant, fresh)
  const first = await read(tenant, '&type=project.updated', 1)
  const cursor = first.body.meta.nextCursor
  const last = (await read(tenant, `&type=project.updated&cursor=${cursor}`, 1)).body.meta.nextCursor
  return { tenant, old, fresh: fresh as string, cursors: { first: cursor, last } }
}

t.test('events are deleted when they are older than the retention, in batches, and no other', async t => {
  const tenant = await tenantOfEmptyLog()
  const old = await insertOld(tenant, DAYS + 1, MANY)
  const kept = await insertOld(tenant, DAYS - 1, 3)
  const late = await insertOld(tenant, DAYS + 1)
  await eventually(async () => {
    await expire()
    return (await stored(old)) === 0
  }, 'the old events are deleted')
  t.equal(await stored(kept), 3)
  t.equal(await stored(late), 1, 'what follows a younger event stays until that is old')
  t.equal(await passHorizon(app.database, DAYS), undefined, 'the horizon stays where it is')
})

t.test(
  'a cursor to deleted events is 410, one to the horizon goes on, and no cursor begins with what is left',
  async t => {
    const { tenant, fresh, cursors } = await tenantWithOldEvents()
    await expire()
    for (const limit of [1, 100]) {
      const { status, body } = await read(tenant, `&type=project.updated&cursor=${cursors.first}`, limit)
      t.match({ status, body }, { status: 410, body: { code: 'cursor_expired', status: 410 } })
    }
    t.same(idsIn((await read(tenant, `&type=project.updated&cursor=${cursors.last}`)).body), [fresh])
    t.same(idsIn((await read(tenant, '&type=project.updated')).body), [fresh])
  },
)

t.test('a cursor is refused from the moment the horizon has passed it, before anything is deleted', async t => {
  const { tenant, old, cursors } = await tenantWithOldEvents()
  await passHorizon(app.database, DAYS)
  t.equal((await read(tenant, `&type=project.updated&cursor=${cursors.first}`)).status, 410)
  t.equal(await stored(old), 2)
})

/** The cursor of the feed without a filter after its first event. */
const firstCursor = async (tenant: Tenant): Promise<string> => (await read(tenant, '', 1)).body.meta.nextCursor

async function expiredCursor(): Promise<{ tenant: Tenant; cursor: string }> {
  const tenant = await tenantOfEmptyLog()
  const [, last] = await insertOld(tenant, DAYS + 1, 2)
  await settled(tenant, last)
  const cursor = await firstCursor(tenant)
  await passHorizon(app.database, DAYS)
  return { tenant, cursor }
}

t.test('a stream and a topic that resume from deleted events are told to read again, and go on', async t => {
  const { tenant, cursor } = await expiredCursor()
  const stream = await EventStreamClient.open(base, {
    organizationId: tenant.id,
    as: tenant.admin,
    lastEventId: cursor,
  })
  t.teardown(stream.leave)
  await stream.has(1)
  t.match(stream.events[0], { event: 'resync', data: { reason: 'cursor_expired' } })
  const socket = await openSocket(t as Test, { app, base, as: tenant.admin })
  await socket.subscribe(`organization:${tenant.id}`, cursor)
  t.match(await socket.got('resync'), { reason: 'cursor_expired' })
  const id = await postTask(test, tenant)
  await stream.has(2)
  await socket.has(1)
  t.equal(stream.events[1]?.data.target.id, id)
  t.same(socket.targets, [id])
  const again = await EventStreamClient.open(base, {
    organizationId: tenant.id,
    as: tenant.admin,
    lastEventId: stream.events[0]?.id as string,
  })
  t.teardown(again.leave)
  await again.has(1)
  t.equal(again.events[0]?.data.target.id, id, 'the id of resync resumes')
})

t.test('an event after the horizon cannot be deleted, and none can be changed', async t => {
  const tenant = await createTenant(test)
  const [id] = await insertOld(tenant, DAYS - 1)
  const refused = { code: '23001', message: 'events is append-only' }
  await t.rejects(sql('delete from events where id = $1', [id]), refused)
  await t.rejects(sql(`update events set type = 'x' where id = $1`, [id]), refused)
  await t.rejects(sql('truncate events'), refused)
})

t.test('an event stays until every subscriber of the relay has got it', async t => {
  const tenant = await tenantOfEmptyLog()
  const [before, after] = [await insertOld(tenant, DAYS + 1), await insertOld(tenant, DAYS + 1)]
  await sql(
    `insert into event_cursors (subscriber, position, seq) select 'slow', position, seq from events where id = $1`,
    before,
  )
  await settled(tenant, after[0])
  await expire()
  t.equal(await stored(before), 0)
  t.equal(await stored(after), 1)
  await sql(`delete from event_cursors where subscriber = 'slow'`)
  await expire()
  t.equal(await stored(after), 0)
})

t.test('an hourly job moves the horizon, and another deletes ten minutes later', async t => {
  t.match(await sql(`select cron from jobs.schedule where name = 'audit.expire_events'`), [
    { cron: /^\d+ \* \* \* \*$/ },
  ])
  const { old, fresh } = await tenantWithOldEvents()
  await sql(`insert into jobs.job (name, data) values ('audit.expire_events', '{"payload":{}}')`)
  const pending = `from jobs.job where name = 'audit.delete_events' and state < 'completed'`
  await eventually(async () => (await sql(`select ${pending}`)).length === 1, 'the deletion is planned')
  t.match(await sql(`select start_after - created_on >= interval '9 minutes 50 seconds' as later ${pending}`), [
    { later: true },
  ])
  t.equal(await stored(old), 2)
  await sql(`update jobs.job set start_after = now() where name = 'audit.delete_events'`)
  await eventually(async () => (await stored(old)) === 0, 'the old events are deleted')
  t.equal(await stored([fresh]), 1)
})

t.test('without a retention the job deletes nothing', async t => {
  const forever = await testApp(t, { works: true })
  await forever.sql(
    `insert into events (id, type, actor_type, target_type, target_id, data, created_at)
     select gen_random_uuid(), 'user.updated', 'system', 'user', gen_random_uuid(), '{}', now() - interval '50 years'`,
  )
  await forever.sql(`insert into jobs.job (name, data) values ('audit.expire_events', '{"payload":{}}')`)
  await eventually(
    async () =>
      (await forever.sql(`select from jobs.job where name = 'audit.expire_events' and state = 'completed'`)).length ===
      1,
    'the job is done',
  )
  t.equal((await forever.sql('select from event_horizon')).length, 0)
})
