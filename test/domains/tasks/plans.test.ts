import t from 'tap'
import { databaseDown } from '../../../src/database/errors.ts'
import type { Query } from '../../../src/database/query.ts'
import { createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createProject } from '../../helpers/factories.ts'
import { planChecker, planOf, rowsRead } from '../../helpers/plans.ts'
import { recordStatements } from '../../helpers/statements.ts'

const TASKS = 100_000
/** So few that a sequential scan is cheaper with the planner's default costs, which are for rotating disks. */
const MEMBERS = 150
const test = await testApp(t)
const { app, sql, config } = test
const organization = await createOrganization(test)
const { member } = organization
const projects = await Promise.all(
  Array.from({ length: 10 }, () => createProject(test, { organizationId: organization.id })),
)
await sql(
  `insert into tasks (id, organization_id, project_id, title, status, priority, due_at, updated_at, assignee_id)
    select (lpad(to_hex(1750000000000 + n), 12, '0') || '7000a000' || lpad(to_hex(n), 12, '0'))::uuid, $1,
      ($2::uuid[])[1 + n % 10], 'Task number ' || n, (array['open', 'in_progress', 'done', 'cancelled'])[1 + n % 4],
      n % 5, case when n % 3 > 0 then now() + n * interval '1 minute' end, now() - n * interval '1 second',
      case when n % 50 = 0 then $3::uuid end
    from generate_series(1, ${TASKS}) n`,
  [organization.id, projects, member.id],
)
await sql(
  `with u as (insert into users (id, email, name) select gen_random_uuid(), 'm' || n || '@example.com', 'm' from generate_series(1, ${MEMBERS}) n
    returning id)
  insert into members (organization_id, user_id, role) select $1, id, 'member' from u`,
  [organization.id],
)
await sql('analyze')

const check = planChecker(test, member, 'tasks')
const scopes = { project: `/projects/${projects[0]}/tasks`, organization: `/organizations/${organization.id}/tasks` }
const orders = ['createdAt', 'updatedAt', 'dueAt', 'priority'].flatMap(sort => [sort, `-${sort}`])

for (const [scope, path] of Object.entries(scopes)) {
  t.test(`the list of a ${scope} is read from an index in each order, from the start and from a cursor`, async t => {
    for (const sort of orders) {
      const first = await check(t, `${path}?sort=${sort}`)
      t.equal(first.sorts, 0, `${sort} sorts nothing`)
      const next = await check(t, `${path}?sort=${sort}&cursor=${first.body.meta.nextCursor}`)
      t.equal(next.sorts, 0, `${sort} sorts nothing after a cursor`)
    }
  })

  t.test(`the list of a ${scope} with a filter scans no table`, async t => {
    const due = '2030-01-01T00:00:00.000Z'
    const filters = ['status=open', `assigneeId=${member.id}`, 'priority=2', `dueBefore=${due}`, `dueAfter=${due}`]
    for (const filter of [...filters, 'search=77777', 'status=done&priority=4']) await check(t, `${path}?${filter}`)
  })
}

t.test('a task is read by index', async t => {
  const { body } = await check(t, `${scopes.project}?limit=1`)
  await check(t, `/tasks/${body.data[0].id}`)
})

t.test('each caller of a shared statement is looked up among the members, who are not read whole', async t => {
  const seen = recordStatements(app)
  const { body } = await call(app, `GET ${scopes.project}?limit=20`, { as: member })
  const ids: string[] = body.data.map(({ id }: { id: string }) => id)
  // The statement is not run here: `explain analyze` runs it later, and it must run only once.
  app.database.writes.run = async query => {
    seen.push(query as Query)
    throw databaseDown()
  }
  const works = {
    reads: (id: string) => call(app, `GET /tasks/${id}`, { as: member }),
    lists: () => call(app, `GET ${scopes.project}`, { as: member }),
    creates: (title: string) => call(app, `POST ${scopes.project}`, { as: member, body: { title } }),
  }
  for (const [name, work] of Object.entries(works)) {
    seen.length = 0
    await Promise.all(ids.map(work))
    const statements = seen.filter(query => query.name.startsWith('tasks.'))
    t.ok(statements.length < ids.length, `${name} share statements`)
    for (const statement of statements) {
      const members = (await planOf(config.databaseUrl, statement)).filter(node => node['Relation Name'] === 'members')
      t.ok(members.length > 0 && members.every(node => node['Index Name'] !== undefined), `${name}: by index`)
      t.ok(rowsRead(members) <= ids.length, `${name}: one for each caller at most`)
    }
  }
})
