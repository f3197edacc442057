import t from 'tap'
import { newId } from '../../../src/lib/ids.ts'
import { createKey, createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createProject, createTask } from '../../helpers/factories.ts'

const test = await testApp(t)
const { app, sql } = test
const organization = await createOrganization(test)
const { member, outsider } = organization
const as = member
const projectId = await createProject(test, { organizationId: organization.id })
const eventTypes = async (id: string) =>
  (await sql('select type from events where target_id = $1 order by seq', [id])).map(
    (row: { type: string }) => row.type,
  )
const rowOf = async (id: string) => (await sql('select * from tasks where id = $1', [id]))[0]

t.test('a bulk create makes all with an event each, or none', async t => {
  const path = `POST /projects/${projectId}/tasks/bulk`
  const sound = Array.from({ length: 500 }, (_, at) => ({ title: `bulk ${at}` }))
  const all = await call(app, path, { as, body: { tasks: sound } })
  t.equal(all.status, 201)
  t.same(
    all.body.data.map((task: { title: string }) => task.title),
    sound.map(({ title }) => title),
    'in the order of the request',
  )
  const count = async () =>
    (await sql('select (select count(*) from tasks) as tasks, (select count(*) from events) as e'))[0]
  const before = await count()
  t.equal(before.tasks, before.e)
  const spoilt = sound.with(250, { title: 'x', assigneeId: outsider.id } as never)
  const none = await call(app, path, { as, body: { tasks: spoilt } })
  t.same([none.status, none.body.errors[0].pointer], [422, '#/tasks/250/assigneeId'])
  t.same(await count(), before, 'nothing was written')
  t.equal((await call(app, path, { as, body: { tasks: [...sound, { title: 'one too many' }] } })).status, 422)
})

t.test('a bulk change merges into all with an event each, or changes nothing', async t => {
  const path = `PATCH /projects/${projectId}/tasks/bulk`
  const elsewhere = await createTask(test, {
    projectId: await createProject(test, { organizationId: organization.id }),
  })
  const a = await createTask(test, { projectId, title: 'a', description: 'kept', priority: 2 })
  const b = await createTask(test, { projectId, title: 'b', description: 'cleared', dueAt: '2030-01-01T00:00:00.000Z' })
  const changes = [
    { id: b, description: null, dueAt: null },
    { id: a.toUpperCase(), status: 'done' },
  ]
  const { status, body } = await call(app, path, { as, body: { tasks: changes } })
  t.equal(status, 200)
  t.match(body.data, [
    { id: b, title: 'b', description: null, dueAt: null },
    { id: a, title: 'a', description: 'kept', priority: 2, status: 'done' },
  ])
  t.ok(body.data[1].completedAt)
  t.same([await eventTypes(a), await eventTypes(b)], [['task.updated'], ['task.updated']])
  const before = await rowOf(a)
  for (const other of [elsewhere, newId(), a, a.toUpperCase()]) {
    const tasks = [
      { id: a, title: 'changed' },
      { id: other, title: 'changed' },
    ]
    t.equal((await call(app, path, { as, body: { tasks } })).status, 422, other)
  }
  const assigned = [
    { id: a, title: 'changed' },
    { id: b, assigneeId: outsider.id },
  ]
  t.equal((await call(app, path, { as, body: { tasks: assigned } })).status, 422)
  t.same(await rowOf(a), before, 'nothing has changed')
})

t.test('a task moves to an active project of its organization and nowhere else', async t => {
  const id = await createTask(test, { projectId })
  const target = await createProject(test, { organizationId: organization.id })
  const archived = await createProject(test, { organizationId: organization.id, status: 'archived' })
  const foreign = await createProject(test, { organizationId: outsider.organizationId })
  const move = (to: string) => call(app, `POST /tasks/${id}/move`, { as, body: { projectId: to } })
  for (const to of [archived, foreign, newId()]) t.equal((await move(to)).status, 422)
  t.match((await move(target)).body, { id, projectId: target })
  t.equal((await rowOf(id)).project_id, target)
  t.same(await eventTypes(id), ['task.moved'])
})

t.test('completing sets completedAt once, reopening clears it', async t => {
  const id = await createTask(test, { projectId })
  const first = (await call(app, `POST /tasks/${id}/complete`, { as })).body
  t.match(first, { status: 'done' })
  t.ok(first.completedAt)
  t.equal((await call(app, `POST /tasks/${id}/complete`, { as })).body.completedAt, first.completedAt)
  const open = await call(app, `PATCH /tasks/${id}`, { as, body: { status: 'open' } })
  t.match(open.body, { status: 'open', completedAt: null })
})

t.test('a patch changes what it names and null clears', async t => {
  const id = await createTask(test, {
    projectId,
    title: 'kept',
    description: 'gone',
    priority: 3,
    assigneeId: member.id,
  })
  const { body } = await call(app, `PATCH /tasks/${id}`, { as, body: { description: null, assigneeId: null } })
  t.match(body, { title: 'kept', priority: 3, description: null, assigneeId: null })
  t.equal((await call(app, `PATCH /tasks/${id}`, { as, body: { assigneeId: outsider.id } })).status, 422)
  t.equal((await call(app, `PATCH /tasks/${id}`, { as, body: {} })).status, 422, 'nothing to change')
})

t.test('a deleted task is gone with its comments, and its event stays', async t => {
  const id = await createTask(test, { projectId })
  await call(app, `POST /tasks/${id}/comments`, { as, body: { body: 'x' } })
  t.equal((await call(app, `DELETE /tasks/${id}`, { as })).status, 204)
  t.equal((await call(app, `GET /tasks/${id}`, { as })).status, 404)
  t.equal((await call(app, `DELETE /tasks/${id}`, { as })).status, 404)
  t.equal((await sql('select from comments where task_id = $1', [id])).length, 0)
  t.same(await eventTypes(id), ['task.deleted'])
})

t.test('what a key does is recorded as the key’s', async t => {
  const key = await createKey(test, organization.id, 'tasks:write')
  const { body } = await call(app, `POST /projects/${projectId}/tasks`, { as: key, body: { title: 'by key' } })
  t.equal(body.createdBy, null)
  t.match(await sql('select actor_type, actor_id from events where target_id = $1', [body.id]), [
    { actor_type: 'api_key', actor_id: key.id },
  ])
})
