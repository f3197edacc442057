import t from 'tap'
import { createKey, createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createProject, createTask } from '../../helpers/factories.ts'
import { recordStatements } from '../../helpers/statements.ts'

const test = await testApp(t)
const { app, sql } = test
const organization = await createOrganization(test)
const { member, viewer, outsider } = organization
const id = await createTask(test, { projectId: await createProject(test, { organizationId: organization.id }) })

t.test('readers that share a statement each see only what is theirs', async t => {
  const foreign = await createTask(test, {
    projectId: await createProject(test, { organizationId: outsider.organizationId }),
  })
  const key = await createKey(test, organization.id, 'tasks:read')
  const foreignKey = await createKey(test, outsider.organizationId, 'tasks:read')
  const seen = recordStatements(app)
  const readers = [member, outsider, viewer, key, foreignKey, member, outsider]
  const answers = await Promise.all(
    readers.flatMap(as => [call(app, `GET /tasks/${id}`, { as }), call(app, `GET /tasks/${foreign}`, { as })]),
  )
  t.same(
    answers.map(({ status, body }) => (status === 200 ? body.id : status)),
    [id, 404, 404, foreign, id, 404, id, 404, 404, foreign, id, 404, 404, foreign],
  )
  const reads = seen.filter(({ name }) => name === 'tasks.readable')
  t.ok(reads.length <= 3, `${reads.length} statements for 14 reads`)
})

t.test('a read after a write sees the write: nothing is served from memory', async t => {
  for (let at = 0; at < 20; at++) {
    await call(app, `PATCH /tasks/${id}`, { as: member, body: { title: `title ${at}` } })
    const answers = await Promise.all(Array.from({ length: 5 }, () => call(app, `GET /tasks/${id}`, { as: viewer })))
    t.ok(answers.every(({ body }) => body.title === `title ${at}`))
  }
})

t.test('who leaves the organization reads nothing from the next request on', async t => {
  t.equal((await call(app, `GET /tasks/${id}`, { as: viewer })).status, 200)
  await sql('delete from members where user_id = $1', [viewer.id])
  t.equal((await call(app, `GET /tasks/${id}`, { as: viewer })).status, 404)
})
