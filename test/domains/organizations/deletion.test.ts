import t from 'tap'
import { buildApp } from '../../../src/app.ts'
import { eraseNext } from '../../../src/domains/organizations/service/deletions.ts'
import { createKey, createOrganization, type TestOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { type Credentials, call } from '../../helpers/call.ts'
import { createComment, createProject, createTask } from '../../helpers/factories.ts'
import { eventually } from '../../helpers/mail.ts'
import { insertRow } from '../../helpers/rows.ts'

const test = await testApp(t)
const { app, sql, config } = test
const { database, tenancy } = app

const TASKS = 3_500
/** The event log and the books are never deleted, and the row in `deletions` records the deletion itself. */
const REMAIN = ['events', 'deletions', 'accounts', 'transfers', 'holds']

/** Every table with a column `organization_id`, read from the catalogue. */
const owned: string[] = (
  await sql(
    `select c.table_name from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
      where c.table_schema = 'public' and c.column_name = 'organization_id' and t.table_type = 'BASE TABLE'`,
  )
)
  .map((row: { table_name: string }) => row.table_name)
  .filter((table: string) => !REMAIN.includes(table))

/** Counts the rows of the organization in each table. */
async function rowsOf(id: string): Promise<Record<string, number>> {
  const counts = owned.map(table => `(select count(*)::int from ${table} where organization_id = $1) as ${table}`)
  return (await sql(`select ${counts.join(', ')}`, [id]))[0]
}

async function filled({ tasks = 3 } = {}) {
  const organization = await createOrganization(test)
  const { id, owner } = organization
  const key = await createKey(test, id, 'tasks:read')
  const projectId = await createProject(test, { organizationId: id })
  const taskId = await createTask(test, { projectId })
  await createComment(test, { taskId })
  await sql(
    `insert into tasks (id, organization_id, project_id, title)
      select gen_random_uuid(), $1, $2, 'Task ' || n from generate_series(1, $3) n`,
    [id, projectId, tasks - 1],
  )
  await insertRow(test, 'invitations', { organization_id: id })
  return { ...organization, owner, key, projectId, taskId }
}

const remove = ({ id, owner }: TestOrganization, headers = {}) =>
  call(app, `DELETE /organizations/${id}`, { as: owner, headers })
const progress = (id: string, as: Credentials) => call(app, `GET /deletions/${id}`, { as })
const step = (id: string) => database.transaction(tx => eraseNext(app, tx, id))

async function finish(id: string): Promise<number> {
  let steps = 1
  while (await step(id)) steps++
  return steps
}

t.test('every table with an organization says how its rows go, and they go', async t => {
  t.same(tenancy.erasableRows.map(({ table }) => table).toSorted(), owned.toSorted())
  const organization = await filled()
  await insertRow(test, 'attachments', { organization_id: organization.id, task_id: organization.taskId })
  // A row of one table may have brought those of others that it refers to.
  for (const table of owned)
    if (!(await rowsOf(organization.id))[table]) await insertRow(test, table, { organization_id: organization.id })
  const { body } = await remove(organization)
  await finish(body.id)
  for (const [table, left] of Object.entries(await rowsOf(organization.id))) t.equal(left, 0, table)
})

t.test('with the answer nobody has access any more, neither member nor key', async t => {
  const organization = await filled()
  const { id, owner, viewer, member, key, taskId, projectId } = organization
  const { status, body, headers } = await remove(organization)
  t.equal(status, 202)
  t.match(body, { organizationId: id, status: 'running', totalRows: null, deletedRows: 0, requestedBy: owner.id })
  t.equal(headers.location, `/api/v1/deletions/${body.id}`)
  for (const as of [owner, viewer, member])
    for (const path of [`organizations/${id}`, `projects/${projectId}`, `tasks/${taskId}`, `organizations/${id}/tasks`])
      t.equal((await call(app, `GET /${path}`, { as })).status, 404, path)
  t.same((await call(app, 'GET /organizations', { as: owner })).body.data, [])
  t.equal((await call(app, `GET /tasks/${taskId}`, { as: key })).status, 401)
  t.match(await rowsOf(id), { members: 0, api_keys: 0, invitations: 0, tasks: 3, comments: 1, projects: 1 })
  t.equal((await remove(organization)).status, 404, 'nothing is deleted twice')
})

t.test('it is erased step by step, and nothing is left but its events', async t => {
  const organization = await filled({ tasks: TASKS })
  const { id, owner } = organization
  const other = await filled()
  const before = await rowsOf(other.id)
  const { body } = await remove(organization)
  const seen: number[] = []
  do {
    const { body: now } = await progress(body.id, owner)
    seen.push(now.deletedRows)
  } while (await step(body.id))
  t.same(seen, [0, 1, 1_001, 2_001, 3_001, 3_501, 3_502], 'comments, tasks by the thousand, the project')
  const end = await progress(body.id, owner)
  t.match(end.body, { status: 'completed', totalRows: 3_502, deletedRows: 3_502, completedAt: /Z$/ })
  for (const [table, rows] of Object.entries(await rowsOf(id))) t.equal(rows, 0, table)
  t.same(await sql('select from organizations where id = $1', [id]), [])
  const [event] = await sql('select * from events where organization_id = $1', [id])
  t.match(event, { type: 'organization.deleted', actor_id: owner.id, target_id: id, data: { id, slug: `o-${id}` } })
  t.same(await rowsOf(other.id), before, 'another organization is as it was')
  t.equal(await step(body.id), false, 'and once more does no harm')
})

t.test('a step that fails half-way changes nothing, and two at once do one after the other', async t => {
  const organization = await filled({ tasks: TASKS })
  const { body } = await remove(organization)
  await step(body.id)
  const before = [await rowsOf(organization.id), (await progress(body.id, organization.owner)).body]
  const killed = database.transaction(async tx => {
    await eraseNext(app, tx, body.id)
    throw new Error('killed')
  })
  await t.rejects(killed, { message: 'killed' })
  t.same([await rowsOf(organization.id), (await progress(body.id, organization.owner)).body], before)
  await Promise.all([step(body.id), step(body.id)])
  t.match((await progress(body.id, organization.owner)).body, { deletedRows: 2_001 })
  await finish(body.id)
  t.match((await progress(body.id, organization.owner)).body, { status: 'completed', deletedRows: 3_502 })
})

t.test('a worker whose connections are cut in the middle leaves it to the next try', async t => {
  const organization = await filled({ tasks: 20_000 })
  const { body } = await remove(organization)
  const worker = await buildApp({ ...config, works: true })
  t.teardown(() => worker.close())
  const deleted = async (): Promise<number> => (await progress(body.id, organization.owner)).body.deletedRows
  await worker.ready()
  await eventually(async () => (await deleted()) > 0, 'the job has begun')
  const cut = async () =>
    (
      await sql(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name = 'lintel' and xact_start is not null`,
      )
    ).length > 0
  await eventually(cut, 'a transaction is cut')
  const over = async () => (await progress(body.id, organization.owner)).body?.status === 'completed'
  await eventually(over, 'it is done')
  t.equal(await deleted(), 20_002)
  for (const [table, rows] of Object.entries(await rowsOf(organization.id))) t.equal(rows, 0, table)
})

t.test('only who asked for it sees the deletion', async t => {
  const organization = await filled()
  const { owner, admin, outsider } = organization
  const { body } = await remove(organization)
  for (const as of [admin, outsider]) t.equal((await progress(body.id, as)).status, 404)
  t.equal((await progress(body.id, owner)).status, 200)
  t.same((await call(app, 'GET /deletions', { as: owner })).body.data, [body])
  t.same((await call(app, 'GET /deletions', { as: admin })).body.data, [])
})

t.test('two deletions of one owner are two: each shows itself, and a step of one leaves the other', async t => {
  const { id: first, owner } = await filled()
  const second = (await call(app, 'POST /organizations', { as: owner, body: { name: 'Second' } })).body.id
  await call(app, `POST /organizations/${second}/projects`, { as: owner, body: { name: 'Project' } })
  const deletions: Record<string, string> = {}
  for (const id of [first, second])
    deletions[id] = (await call(app, `DELETE /organizations/${id}`, { as: owner })).body.id
  for (const id of [first, second])
    t.match((await progress(deletions[id] as string, owner)).body, { id: deletions[id], organizationId: id })
  const before = await rowsOf(first)
  await finish(deletions[second] as string)
  t.match((await progress(deletions[second] as string, owner)).body, { status: 'completed' })
  t.match((await progress(deletions[first] as string, owner)).body, { status: 'running', deletedRows: 0 })
  t.same(await rowsOf(first), before)
})

t.test('only an owner deletes, and under If-Match only what was seen', async t => {
  const organization = await filled()
  const { id, admin } = organization
  t.equal((await call(app, `DELETE /organizations/${id}`, { as: admin })).status, 403)
  t.equal((await remove(organization, { 'if-match': '"7"' })).status, 412)
  t.match(await rowsOf(id), { members: 4, api_keys: 1, tasks: 3 })
  t.equal((await remove(organization, { 'if-match': '"1"' })).status, 202)
})

t.test('the slug is free at once', async t => {
  const organization = await createOrganization(test)
  const { id, owner } = organization
  await call(app, `PATCH /organizations/${id}`, { as: owner, body: { slug: 'wanted' } })
  const take = () => call(app, 'POST /organizations', { as: owner, body: { name: 'x', slug: 'wanted' } })
  t.equal((await take()).status, 409)
  await remove(organization)
  t.equal((await take()).status, 201)
})

t.test('of two owners who delete at once one has deleted it', async t => {
  const organization = await filled()
  const answers = await Promise.all([remove(organization), remove(organization)])
  t.same(answers.map(({ status }) => status).toSorted(), [202, 404])
  t.equal((await sql('select from deletions where organization_id = $1', [organization.id])).length, 1)
})

t.test('a key that is made at the same moment lets nobody in', async t => {
  for (let round = 0; round < 10; round++) {
    const organization = await createOrganization(test)
    const { id, admin } = organization
    const body = { name: 'late', scopes: ['organization:read'] }
    const create = () => call(app, `POST /organizations/${id}/api-keys`, { as: admin, body })
    const answers = await Promise.all([create(), create(), remove(organization), create(), create()])
    const made = answers.filter(({ status }) => status === 201)
    t.ok(answers.every(({ status }) => [201, 202, 404].includes(status)))
    for (const { body } of made) {
      const as = { headers: { authorization: `Bearer ${body.key}` } }
      t.equal((await call(app, `GET /organizations/${id}`, { as })).status, 401)
    }
    t.match(await rowsOf(id), { api_keys: 0, members: 0 })
  }
})

t.test('what is written while it runs goes as well', async t => {
  const organization = await filled()
  const { id } = organization
  const { body } = await remove(organization)
  await step(body.id)
  const projectId = await createProject(test, { organizationId: id })
  await createComment(test, { taskId: await createTask(test, { projectId }) })
  await finish(body.id)
  for (const [table, rows] of Object.entries(await rowsOf(id))) t.equal(rows, 0, table)
  const { body: end } = await progress(body.id, organization.owner)
  t.equal(end.totalRows, end.deletedRows)
})
