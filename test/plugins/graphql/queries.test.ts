import t from 'tap'
import { createKey, createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createComment, createPost, createProject, createTask } from '../../helpers/factories.ts'
import { graph } from '../../helpers/graphql.ts'
import { statementsOf } from '../../helpers/statements.ts'

const test = await testApp(t)
const { app } = test
const organization = await createOrganization(test)
const { member: as, viewer, outsider } = organization

t.test(
  'a query of 50 projects with 20 tasks, assignees and comments sends one statement for each of its lists',
  async t => {
    const { id, member } = await createOrganization(test)
    await test.sql(
      `insert into projects (id, organization_id, name)
      select gen_random_uuid(), $1, 'Project ' || n from generate_series(1, 50) n`,
      [id],
    )
    await test.sql(
      `insert into tasks (id, organization_id, project_id, title, assignee_id)
      select gen_random_uuid(), $1, p.id, 'Task ' || n, $2 from projects p, generate_series(1, 21) n where p.organization_id = $1`,
      [id, member.id],
    )
    await test.sql(
      `insert into comments (id, organization_id, task_id, body)
      select gen_random_uuid(), $1, t.id, 'Comment ' || n from tasks t, generate_series(1, 3) n where t.organization_id = $1`,
      [id],
    )
    const document = `query ($id: ID!) {
    organization(id: $id) { projects(first: 50) { nodes { name tasks(first: 20) {
      nodes { title assignee { name } comments(first: 5) { nodes { body } } } pageInfo { hasNextPage }
    } } } }
  }`
    let answer: Awaited<ReturnType<typeof graph>> | undefined
    const names = await statementsOf(app, async () => {
      answer = await graph(app, member, document, { variables: { id } })
    })
    t.equal(answer?.errors, undefined)
    const projects = answer?.data.organization.projects.nodes
    t.equal(projects.length, 50)
    for (const { tasks } of projects) {
      t.equal(tasks.nodes.length, 20)
      t.ok(tasks.pageInfo.hasNextPage)
      for (const task of tasks.nodes)
        if (task.comments.nodes.length !== 3 || !task.assignee.name) t.fail('a task lacks rows')
    }
    t.same(
      names.map(name => name.replace(/#\d+$/, '')),
      [
        'organizations.readable',
        'projects.list.many',
        'tasks.of_project.many',
        'members.readable',
        'comments.of_task.many',
      ],
    )
  },
)

t.test('a list has the rows, the order and the cursors of the API', async t => {
  const projectId = await createProject(test, { organizationId: organization.id })
  for (let n = 0; n < 5; n++)
    await createTask(test, {
      projectId,
      title: `Task ${n}`,
      priority: n % 2,
      dueAt: n === 2 ? null : `2030-01-0${n + 1}T00:00:00.000Z`,
    })
  const document = `query ($id: ID!, $after: String, $sort: TaskSort, $priority: Int) { project(id: $id) {
    tasks(first: 2, after: $after, sort: $sort, priority: $priority) {
      edges { cursor node { id version dueAt status } } pageInfo { endCursor hasNextPage hasPreviousPage }
    } } }`
  for (const [sort, name] of [
    ['-createdAt', 'createdAtDesc'],
    ['dueAt', 'dueAt'],
    ['-priority', 'priorityDesc'],
  ]) {
    const path = `GET /projects/${projectId}/tasks?sort=${sort}`
    const { body: all } = await call(app, path, { as })
    const first = await graph(app, as, document, { variables: { id: projectId, sort: name } })
    t.equal(first.errors, undefined)
    const { edges, pageInfo } = first.data.project.tasks
    t.same(
      edges.map((edge: { node: { id: string } }) => edge.node.id),
      all.data.slice(0, 2).map(({ id }: { id: string }) => id),
    )
    t.same(
      { hasNextPage: pageInfo.hasNextPage, hasPreviousPage: pageInfo.hasPreviousPage },
      { hasNextPage: true, hasPreviousPage: false },
    )
    t.equal(edges[1].cursor, pageInfo.endCursor)
    const { body: rest } = await call(app, `${path}&cursor=${pageInfo.endCursor}`, { as })
    t.same(rest.data, all.data.slice(2), `the API goes on after a cursor of the graph by ${sort}`)
    const { body: page } = await call(app, `${path}&limit=2`, { as })
    const second = await graph(app, as, document, {
      variables: { id: projectId, sort: name, after: page.meta.nextCursor },
    })
    t.equal(
      second.data.project.tasks.edges[0].node.id,
      all.data[2].id,
      `the graph goes on after a cursor of the API by ${sort}`,
    )
    t.equal(second.data.project.tasks.pageInfo.hasPreviousPage, true)
  }
  const filtered = await graph(app, as, document, { variables: { id: projectId, priority: 1 } })
  t.equal(filtered.data.project.tasks.edges.length, 2)
  const other = await createProject(test, { organizationId: organization.id })
  const { data } = await graph(app, as, document, { variables: { id: projectId } })
  const { endCursor } = data.project.tasks.pageInfo
  const { errors } = await graph(app, as, document, { variables: { id: other, after: endCursor } })
  t.match(errors, [{ path: ['project', 'tasks', 'edges'], extensions: { code: 'cursor_mismatch', status: 400 } }])
})

t.test('the number of rows is counted without reading a page, and one statement counts for all parents', async t => {
  const projectId = await createProject(test, { organizationId: organization.id })
  const tasks = [await createTask(test, { projectId }), await createTask(test, { projectId })]
  for (const taskId of tasks) for (let n = 0; n < 3; n++) await createComment(test, { taskId })
  const document = `{ project(id: "${projectId}") { tasks { totalCount nodes { comments { totalCount } } } } }`
  let answer: Awaited<ReturnType<typeof graph>> | undefined
  const names = await statementsOf(app, async () => {
    answer = await graph(app, as, document)
  })
  t.equal(answer?.data.project.tasks.totalCount, 2)
  t.same(answer?.data.project.tasks.nodes, [{ comments: { totalCount: 3 } }, { comments: { totalCount: 3 } }])
  t.same(names.map(name => name.replace(/#\d+$/, '')).toSorted(), [
    'comments.of_task.counts',
    'projects.readable',
    'tasks.of_project.counts',
    'tasks.of_project.many',
  ])
})

t.test('what the API refuses is an error with the same code, at its field', async t => {
  const projectId = await createProject(test, { organizationId: organization.id })
  const taskId = await createTask(test, { projectId, assigneeId: as.id })
  const draft = await createPost(test, { organizationId: organization.id, authorId: as.id })
  const codeOf = async (caller: typeof as, document: string) => {
    const { data, errors } = await graph(app, caller, document)
    return { data, codes: errors?.map((error: { extensions: { code: string } }) => error.extensions.code) }
  }
  t.same(await codeOf(outsider, `{ task(id: "${taskId}") { title } }`), { data: { task: null }, codes: ['not_found'] })
  t.same(await codeOf(as, '{ task(id: "no-id") { title } }'), { data: { task: null }, codes: ['validation_failed'] })
  t.same(await codeOf(viewer, `{ post(id: "${draft}") { title } }`), { data: { post: null }, codes: ['not_found'] })
  t.same(
    await codeOf(
      viewer,
      `{ organization(id: "${organization.id}") { posts(status: draft) { totalCount nodes { id } } } }`,
    ),
    { data: { organization: { posts: { totalCount: 0, nodes: [] } } }, codes: undefined },
    'a viewer counts no drafts',
  )
  t.match(await graph(app, as, `{ project(id: "${projectId}") { tasks(first: 0) { nodes { id } } } }`), {
    errors: [{ extensions: { code: 'validation_failed', errors: [{ parameter: 'limit' }] } }],
  })
})

t.test('a key sees the fields of its scopes and an error at the others', async t => {
  const projectId = await createProject(test, { organizationId: organization.id })
  const taskId = await createTask(test, { projectId, assigneeId: as.id })
  const key = await createKey(test, organization.id, 'tasks:read', 'comments:read')
  const document = `{ task(id: "${taskId}") { title assignee { name } comments { totalCount } } me { name } }`
  const { status, data, errors } = await graph(app, { headers: { ...key.headers } }, document)
  t.equal(status, 200)
  t.same(data, { task: { title: 'Task', assignee: null, comments: { totalCount: 0 } }, me: null })
  t.same(
    errors
      .map(({ path, extensions }: { path: string[]; extensions: { code: string } }) => [
        path.join('.'),
        extensions.code,
      ])
      .toSorted(),
    [
      ['me', 'forbidden'],
      ['task.assignee', 'forbidden'],
    ],
  )
})

t.test('an assignee who has left the organization is nobody', async t => {
  const projectId = await createProject(test, { organizationId: organization.id })
  const taskId = await createTask(test, { projectId, assigneeId: outsider.id })
  const { data, errors } = await graph(app, as, `{ task(id: "${taskId}") { assigneeId assignee { name } } }`)
  t.same({ data, errors }, { data: { task: { assigneeId: outsider.id, assignee: null } }, errors: undefined })
})

t.test('a document that is compiled answers as before, and each caller by what that caller may', async t => {
  const projectId = await createProject(test, { organizationId: organization.id })
  const taskId = await createTask(test, { projectId, assigneeId: as.id })
  await createComment(test, { taskId })
  const document = `query ($id: ID!, $task: ID!, $first: Int = 2, $long: Boolean!) {
    one: project(id: $id) { ...Named tasks(first: $first) { totalCount nodes { ...Whole } pageInfo { endCursor } } }
    task(id: $task) { ... on Task { title comments { nodes { body author { name } } } } }
    none: task(id: "no-id") { title }
    me { id } again: me { name }
  }
  fragment Named on Project { name organization { name } }
  fragment Whole on Task { id title dueAt status description @include(if: $long) priority @skip(if: $long) assignee { name } }`
  const key = await createKey(test, organization.id, 'tasks:read')
  const callers = [as, viewer, outsider, { headers: { ...key.headers } }]
  const ask = (caller: { headers: Record<string, string> }, long: boolean) =>
    graph(app, caller, document, { variables: { id: projectId, task: taskId, long } })
  const withoutIds = ({ data, errors }: Awaited<ReturnType<typeof graph>>) =>
    JSON.stringify({ data, errors }).replaceAll(/"requestId":"[^"]*"/g, '')
  const expected = await Promise.all(
    // Another comment makes another text, which is not compiled.
    callers.map((caller, n) =>
      graph(app, caller, `${document}\n# ${n}`, { variables: { id: projectId, task: taskId, long: true } }),
    ),
  )
  t.match(expected[0]?.data.one.tasks.nodes, [{ title: 'Task', assignee: { name: /./ } }])
  t.equal(new Set(expected.map(withoutIds)).size, 4, 'each of the callers may see something else')
  for (let n = 0; n < 5; n++) {
    for (const [at, caller] of callers.entries())
      t.equal(withoutIds(await ask(caller, true)), withoutIds(expected[at] as never), `the answer of caller ${at}`)
    const { data } = await ask(as, false)
    t.match(data.one.tasks.nodes, [{ priority: 0, description: undefined }])
  }
  const refused = await graph(app, as, document, { variables: { id: projectId, task: taskId, long: 'no' } })
  t.match(refused.errors, [{ message: /\$long/, extensions: { code: 'graphql_invalid' } }])
})
