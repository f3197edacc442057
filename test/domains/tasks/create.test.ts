import pg from 'pg'
import t from 'tap'
import { newId } from '../../../src/lib/ids.ts'
import { createKey, createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { type Answer, call } from '../../helpers/call.ts'
import { createProject } from '../../helpers/factories.ts'
import { eventually } from '../../helpers/mail.ts'
import { recordStatements } from '../../helpers/statements.ts'

const test = await testApp(t)
const { app, sql } = test
const organization = await createOrganization(test)
const { member, viewer, outsider } = organization
const projectId = await createProject(test, { organizationId: organization.id })
const archivedId = await createProject(test, { organizationId: organization.id, status: 'archived' })
const key = await createKey(test, organization.id, 'tasks:write')
/** The key of an advisory lock that nothing else uses. */
const HELD = 4_201

const eventsOf = (ids: string[]) =>
  sql('select target_id as id, count(*)::int as n from events where target_id = any($1) group by 1', [ids])

t.test('of 80 creates at once each gets its own answer, and each success exactly one row and one event', async t => {
  const seen = recordStatements(app)
  const kinds: { status: number; send: (title: string) => Promise<Answer> }[] = [
    { status: 201, send: title => create(member, projectId, { title }) },
    { status: 201, send: title => create(key, projectId, { title, assigneeId: member.id }) },
    { status: 403, send: title => create(viewer, projectId, { title }) },
    { status: 404, send: title => create(outsider, projectId, { title }) },
    { status: 404, send: title => create(member, newId(), { title }) },
    { status: 422, send: title => create(member, projectId, { title, assigneeId: outsider.id }) },
    { status: 422, send: title => create(member, projectId, { title, assigneeId: newId() }) },
    { status: 409, send: title => create(member, archivedId, { title }) },
  ]
  const create = (as: typeof member | typeof key, project: string, body: object) =>
    call(app, `POST /projects/${project}/tasks`, { as, body })
  const answers = await Promise.all(
    Array.from({ length: 80 }, async (_, at) => {
      const kind = kinds[at % kinds.length] as (typeof kinds)[number]
      let answer = await kind.send(`at once ${at}`)
      // The reason of a refusal is found in a transaction; on a busy machine the wait for one of ten connections ends with 503.
      while (kind.status !== 201 && answer.status === 503) answer = await kind.send(`at once ${at}`)
      return { wanted: kind.status, title: `at once ${at}`, answer }
    }),
  )
  t.same(
    answers.map(({ answer }) => answer.status),
    answers.map(({ wanted }) => wanted),
  )
  const created = answers.filter(({ wanted }) => wanted === 201)
  t.same(
    created.map(({ answer }) => answer.body.title),
    created.map(({ title }) => title),
    'nobody gets the task of another',
  )
  const ids = created.map(({ answer }) => answer.body.id)
  const rows = await sql(`select id from tasks where title like 'at once %'`)
  t.same(rows.map((row: { id: string }) => row.id).toSorted(), ids.toSorted())
  const logged = await eventsOf(ids)
  t.equal(logged.length, ids.length)
  t.ok(logged.every(({ n }: { n: number }) => n === 1))
  const [{ n }] = await sql(`select count(*)::int as n from events where type = 'task.created'`)
  t.equal(n, ids.length, 'and no event of what was refused')
  const inserts = seen.filter(({ name }) => name.startsWith('tasks.insert#')).length
  t.ok(inserts < 20, `${inserts} statements for 80 requests`)
})

t.test('the answer, the row and the event say the same', async t => {
  const dueAt = '2030-05-06T07:08:09.010Z'
  const body = { title: 'Ünïcödé 🎉', description: null, status: 'done', priority: 4, assigneeId: member.id, dueAt }
  const answer = await call(app, `POST /projects/${projectId}/tasks`, { as: member, body })
  t.equal(answer.status, 201)
  t.match(answer.body, { ...body, createdBy: member.id, organizationId: organization.id, projectId })
  t.equal(answer.headers.location, `/api/v1/tasks/${answer.body.id}`)
  t.equal(answer.headers.etag, '"1"')
  const read = await call(app, `GET /tasks/${answer.body.id}`, { as: member })
  t.same(read.body, answer.body)
  const [event] = await sql('select type, actor_id, organization_id, data from events where target_id = $1', [
    answer.body.id,
  ])
  t.same(event, { type: 'task.created', actor_id: member.id, organization_id: organization.id, data: answer.body })
})

t.test('a time is stored or refused, whatever form of RFC 3339 it has', async t => {
  const times = {
    '2030-01-01T00:00:00+02:00': '2029-12-31T22:00:00.000Z',
    '2030-01-01T00:00:00.123456Z': '2030-01-01T00:00:00.123Z',
    '2030-01-01t00:00:00z': '2030-01-01T00:00:00.000Z',
    '9999-12-31T23:59:59.999Z': '9999-12-31T23:59:59.999Z',
    '0001-01-01T00:00:00Z': '0001-01-01T00:00:00.000Z',
    '0000-01-01T00:00:00Z': null,
    '2016-12-31T23:59:60Z': null,
    '9999-12-31T23:59:59-23:59': null,
    '0001-01-01T00:00:00+23:59': null,
    '-001-01-01T00:00:00Z': null,
  }
  const id = (await call(app, `POST /projects/${projectId}/tasks`, { as: member, body: { title: 'x' } })).body.id
  for (const [dueAt, stored] of Object.entries(times)) {
    const answers = {
      create: await call(app, `POST /projects/${projectId}/tasks`, { as: member, body: { title: 'x', dueAt } }),
      update: await call(app, `PATCH /tasks/${id}`, { as: member, body: { dueAt } }),
      bulk: await call(app, `POST /projects/${projectId}/tasks/bulk`, {
        as: member,
        body: { tasks: [{ title: 'x', dueAt }] },
      }),
    }
    for (const [how, { status, body }] of Object.entries(answers)) {
      if (stored === null) t.equal(status, 422, `${how} ${dueAt}`)
      else t.equal((body.data?.[0] ?? body).dueAt, stored, `${how} ${dueAt}`)
    }
    const listed = await call(app, `GET /projects/${projectId}/tasks?dueAfter=${encodeURIComponent(dueAt)}`, {
      as: member,
    })
    t.equal(listed.status, stored === null ? 422 : 200, `filter ${dueAt}`)
  }
})

t.test('one request that the database refuses does not fail the others that came with it', async t => {
  const bad = { title: 'x', dueAt: '2016-12-31T23:59:60Z' }
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, at) =>
      call(app, `POST /projects/${projectId}/tasks`, { as: member, body: at === 5 ? bad : { title: `y${at}` } }),
    ),
  )
  t.same(
    answers.map(({ status }) => status),
    answers.map((_, at) => (at === 5 ? 422 : 201)),
  )
})

t.test('a read does not wait for the commit of a create', async t => {
  const holder = new pg.Client({ connectionString: test.config.databaseUrl })
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query('select pg_advisory_lock($1)', [HELD])
  await sql(`create function slow() returns trigger language plpgsql
    as 'begin perform pg_advisory_xact_lock(${HELD}); return null; end'`)
  await sql(`create constraint trigger slow after insert on tasks deferrable initially deferred
    for each row execute function slow()`)
  const [{ id }] = await sql('select id from tasks limit 1')
  const create = call(app, `POST /projects/${projectId}/tasks`, { as: member, body: { title: 'slow' } })
  const commits = () =>
    sql(`select from pg_stat_activity where wait_event = 'advisory' and datname = current_database()`)
  await eventually(async () => (await commits()).length > 0, 'the create is about to commit')
  t.equal((await call(app, `GET /tasks/${id}`, { as: member })).body.id, id)
  await holder.query('select pg_advisory_unlock($1)', [HELD])
  t.equal((await create).status, 201)
})
