import t from 'tap'
import { createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createProject, createTask } from '../../helpers/factories.ts'
import { graph } from '../../helpers/graphql.ts'

const test = await testApp(t)
const { app, sql } = test
const organization = await createOrganization(test)
const { member: as, viewer, admin } = organization

const create = `mutation ($id: ID!, $input: CreateTaskInput!) {
  createTask(projectId: $id, input: $input) { id title priority version creator { userId } project { id } }
}`

t.test('a mutation does what its operation does: the row, the event, the answer', async t => {
  const id = await createProject(test, { organizationId: organization.id })
  const { data, errors } = await graph(app, as, create, { variables: { id, input: { title: 'First', priority: 2 } } })
  t.equal(errors, undefined)
  t.match(data.createTask, { title: 'First', priority: 2, version: 1, creator: { userId: as.id }, project: { id } })
  const { body } = await call(app, `GET /tasks/${data.createTask.id}`, { as })
  t.equal(body.title, 'First')
  const events = await sql(`select type, actor_id from events where target_id = $1`, [body.id])
  t.same(events, [{ type: 'task.created', actor_id: as.id }])
})

t.test('the fields of a mutation run one after another, and the rows after each are the new ones', async t => {
  const id = await createTask(test, { projectId: await createProject(test, { organizationId: organization.id }) })
  const document = `mutation ($id: ID!) {
    first: updateTask(id: $id, input: { title: "One" }) { version project { tasks { nodes { title } } } }
    second: updateTask(id: $id, input: { title: "Two", description: null }) { version project { tasks { nodes { title } } } }
    completeTask(id: $id) { status version }
  }`
  const { data } = await graph(app, as, document, { variables: { id } })
  t.same(data, {
    first: { version: 2, project: { tasks: { nodes: [{ title: 'One' }] } } },
    second: { version: 3, project: { tasks: { nodes: [{ title: 'Two' }] } } },
    completeTask: { status: 'done', version: 4 },
  })
})

t.test('what the schema of the body refuses is refused here, with the place in the input', async t => {
  const id = await createProject(test, { organizationId: organization.id })
  for (const [input, pointer] of [
    [{ title: ' ' }, '#/title'],
    [{ title: 'x'.repeat(201) }, '#/title'],
    [{ title: 'A', priority: 9 }, '#/priority'],
    [{ title: 'A', dueAt: 'tomorrow' }, '#/dueAt'],
    [{ title: 'A\u0000' }, '#/title'],
  ] as const) {
    const { data, errors } = await graph(app, as, create, { variables: { id, input } })
    t.same(data, { createTask: null })
    t.match(errors, [
      { path: ['createTask'], extensions: { code: 'validation_failed', status: 422, errors: [{ pointer }] } },
    ])
  }
  t.same(await sql('select from tasks where project_id = $1', [id]), [])
})

t.test('a mutation with another version than was read changes nothing', async t => {
  const id = await createTask(test, { projectId: await createProject(test, { organizationId: organization.id }) })
  const document = `mutation ($id: ID!, $version: Int) { updateTask(id: $id, input: { title: "New" }, ifVersion: $version) { version } }`
  const stale = await graph(app, as, document, { variables: { id, version: 7 } })
  t.match(stale.errors, [{ extensions: { code: 'precondition_failed', status: 412 } }])
  const fresh = await graph(app, as, document, { variables: { id, version: 1 } })
  t.equal(fresh.data.updateTask.version, 2)
  const plain = await graph(app, as, document, { variables: { id }, headers: { 'if-match': '"99"' } })
  t.equal(plain.data.updateTask.version, 3, 'the header is about no resource of the document')
})

t.test('who may not write is told so, and nothing is written', async t => {
  const id = await createProject(test, { organizationId: organization.id })
  const { errors } = await graph(app, viewer, create, { variables: { id, input: { title: 'A' } } })
  t.match(errors, [{ extensions: { code: 'forbidden', status: 403 } }])
  const removal = `mutation { deleteProject(id: "${id}") }`
  t.match((await graph(app, as, removal)).errors, [{ extensions: { code: 'forbidden' } }])
  t.same((await graph(app, admin, removal)).data, { deleteProject: id })
  t.match((await graph(app, admin, removal)).errors, [{ extensions: { code: 'not_found', status: 404 } }])
})

t.test('with an idempotency key a document is done once, whole, and answered with the same bytes', async t => {
  const id = await createProject(test, { organizationId: organization.id })
  const document = `mutation ($id: ID!) {
    a: createTask(projectId: $id, input: { title: "A" }) { id project { tasks { totalCount } } }
    b: createTask(projectId: $id, input: { title: "B" }) { id project { tasks { totalCount } } }
  }`
  const headers = { 'idempotency-key': 'twice' }
  const first = await graph(app, as, document, { variables: { id }, headers })
  t.equal(first.data.b.project.tasks.totalCount, 2, 'rows are read in the transaction that wrote them')
  const second = await graph(app, as, document, { variables: { id }, headers })
  t.equal(second.text, first.text)
  t.equal(second.headers['idempotent-replayed'], 'true')
  t.equal((await sql('select from tasks where project_id = $1', [id])).length, 2)
})

t.test('with an idempotency key a failed field undoes the others, and the key is free', async t => {
  const id = await createProject(test, { organizationId: organization.id })
  const document = `mutation ($id: ID!, $title: String!) {
    a: createTask(projectId: $id, input: { title: "A" }) { id }
    b: createTask(projectId: $id, input: { title: $title }) { id }
    c: createTask(projectId: $id, input: { title: "C" }) { id }
  }`
  const headers = { 'idempotency-key': 'half' }
  const failed = await graph(app, as, document, { variables: { id, title: '' }, headers })
  t.equal(failed.status, 200)
  t.equal(failed.data, null)
  t.match(failed.errors, [
    { path: ['b'], extensions: { code: 'validation_failed' } },
    { path: ['c'], extensions: { code: 'graphql_rolled_back', status: 409 } },
  ])
  t.same(await sql('select from tasks where project_id = $1', [id]), [])
  t.same(await sql(`select from events where type = 'task.created' and data->>'projectId' = $1`, [id]), [])
  const again = await graph(app, as, document, { variables: { id, title: 'B' }, headers })
  t.equal(again.errors, undefined)
  t.equal((await sql('select from tasks where project_id = $1', [id])).length, 3)
})

t.test('without a key each field stands for itself', async t => {
  const id = await createProject(test, { organizationId: organization.id })
  const document = `mutation ($id: ID!) {
    a: createTask(projectId: $id, input: { title: "A" }) { title }
    b: createTask(projectId: $id, input: { title: "" }) { title }
    c: createTask(projectId: $id, input: { title: "C" }) { title }
  }`
  const { data, errors } = await graph(app, as, document, { variables: { id } })
  t.same(data, { a: { title: 'A' }, b: null, c: { title: 'C' } })
  t.equal(errors.length, 1)
})
