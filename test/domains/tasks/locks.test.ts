import pg from 'pg'
import t from 'tap'
import { addMember, createOrganization, createUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createProject } from '../../helpers/factories.ts'

const OTHERS = 20

const test = await testApp(t)
const { app, config } = test
const organization = await createOrganization(test)
const { member } = organization
const leaving = await createUser(test)
await addMember(test, organization.id, leaving.id, 'member')
const create = async (projectId: string, body: object) =>
  (await call(app, `POST /projects/${projectId}/tasks`, { as: member, body })).status

/** Locks a row as its deletion does, until `release` is called. */
async function locked(table: 'projects' | 'users', id: string) {
  const client = new pg.Client({ connectionString: config.databaseUrl })
  await client.connect()
  await client.query('begin')
  await client.query(`select from ${table} where id = $1 for update`, [id])
  return { release: () => client.end() }
}

t.test('while a project or an assignee is being deleted only who names it waits, and reads do not', async t => {
  const [free, doomed] = [
    await createProject(test, { organizationId: organization.id }),
    await createProject(test, { organizationId: organization.id }),
  ]
  const cases = [
    { lock: () => locked('projects', doomed), waits: () => create(doomed, { title: 'waits' }) },
    { lock: () => locked('users', leaving.id), waits: () => create(free, { title: 'waits', assigneeId: leaving.id }) },
  ]
  for (const { lock, waits } of cases) {
    const { release } = await lock()
    const waiting = waits()
    const others = await Promise.all(Array.from({ length: OTHERS }, () => create(free, { title: 'at once' })))
    t.same(others, Array(OTHERS).fill(201), 'all others are answered before it is free again')
    t.equal((await call(app, `GET /projects/${free}/tasks`, { as: member })).status, 200)
    await release()
    // The lock timeout is 2 s; on a slow machine it may end before the release, and the response is 503.
    t.ok([201, 503].includes(await waiting), 'who has waited is served then')
  }
})
