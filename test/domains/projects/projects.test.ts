import t from 'tap'
import { createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createComment, createProject, createTask } from '../../helpers/factories.ts'

const test = await testApp(t)
const { app, sql } = test
const organization = await createOrganization(test)
const { member, admin } = organization
const as = member
const path = `/organizations/${organization.id}/projects`
const eventTypes = async (id: string) =>
  (await sql('select type from events where target_id = $1 order by seq', [id])).map(
    (row: { type: string }) => row.type,
  )

t.test(
  'an archived project takes no task by any way, keeps those it has, and takes them again when restored',
  async t => {
    const { id } = (await call(app, `POST ${path}`, { as, body: { name: 'Website' } })).body
    const taskId = await createTask(test, { projectId: id })
    t.match((await call(app, `POST /projects/${id}/archive`, { as })).body, { status: 'archived', archivedAt: /Z$/ })
    const tasks = `POST /projects/${id}/tasks`
    const refused = { status: 409, code: 'project_archived' }
    t.match((await call(app, tasks, { as, body: { title: 'x' } })).body, refused)
    const headers = { 'idempotency-key': 'while-archived' }
    t.match((await call(app, tasks, { as, body: { title: 'x' }, headers })).body, refused)
    t.match((await call(app, `${tasks}/bulk`, { as, body: { tasks: [{ title: 'x' }] } })).body, refused)
    t.equal((await sql('select from tasks where project_id = $1', [id])).length, 1)
    t.equal((await call(app, `PATCH /tasks/${taskId}`, { as, body: { title: 'y' } })).status, 200)
    t.match((await call(app, `POST /projects/${id}/restore`, { as })).body, { status: 'active', archivedAt: null })
    t.equal((await call(app, tasks, { as, body: { title: 'x' }, headers })).status, 201, 'the key was free')
  },
)

t.test('archiving twice changes and records nothing more', async t => {
  const { id } = (await call(app, `POST ${path}`, { as, body: { name: 'x' } })).body
  const first = await call(app, `POST /projects/${id}/archive`, { as })
  const second = await call(app, `POST /projects/${id}/archive`, { as })
  t.same(second.body, first.body)
  t.same(await eventTypes(id), ['project.created', 'project.archived'])
})

t.test(
  'of archiving and creating at once either order holds: no task appears after the archive was answered',
  async t => {
    for (let round = 0; round < 20; round++) {
      const id = await createProject(test, { organizationId: organization.id })
      const [archived, ...created] = await Promise.all([
        call(app, `POST /projects/${id}/archive`, { as }),
        ...Array.from({ length: 10 }, () => call(app, `POST /projects/${id}/tasks`, { as, body: { title: 'x' } })),
      ])
      t.equal(archived?.status, 200)
      t.ok(created.every(({ status }) => status === 201 || status === 409))
      const [{ n }] = await sql('select count(*)::int as n from tasks where project_id = $1', [id])
      t.equal(n, created.filter(({ status }) => status === 201).length)
    }
  },
)

t.test('a deleted project takes its tasks and their comments along', async t => {
  const id = await createProject(test, { organizationId: organization.id })
  const taskId = await createTask(test, { projectId: id })
  await createComment(test, { taskId })
  t.equal((await call(app, `DELETE /projects/${id}`, { as: member })).status, 403)
  t.equal((await call(app, `DELETE /projects/${id}`, { as: admin })).status, 204)
  t.equal((await sql('select from tasks where id = $1', [taskId])).length, 0)
  t.equal((await sql('select from comments where task_id = $1', [taskId])).length, 0)
  t.same(await eventTypes(id), ['project.deleted'])
})

t.test('a patch changes what it names, null clears, and the filters find', async t => {
  const body = { name: 'Findable 100%', description: 'About' }
  const { id } = (await call(app, `POST ${path}`, { as, body })).body
  t.match((await call(app, `PATCH /projects/${id}`, { as, body: { description: null } })).body, {
    name: 'Findable 100%',
    description: null,
  })
  const found = async (query: string) =>
    (await call(app, `GET ${path}?${query}`, { as })).body.data.map((row: { id: string }) => row.id)
  t.same(await found('search=findABLE%20100%25'), [id])
  t.same(await found('search=Findable_100'), [], '_ is an ordinary character')
  await call(app, `POST /projects/${id}/archive`, { as })
  t.ok((await found('status=archived&limit=100')).includes(id))
  t.notOk((await found('status=active&limit=100')).includes(id))
})
