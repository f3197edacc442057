import t from 'tap'
import { createKey, createOrganization, createUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'

const test = await testApp(t)
const { app, sql } = test
const organization = await createOrganization(test)
const admin = await createUser(test, { role: 'admin' })
const moderator = await createUser(test, { role: 'moderator' })

interface Event {
  id: string
  type: string
  organizationId: string | null
}
const list = async (query = ''): Promise<Event[]> =>
  (await call(app, `GET /audit/events?${query}`, { as: admin })).body.data

const password = 'a long and quiet password'
const person = { email: 'someone@example.com', name: 'Someone', password }

t.test('what belongs to no organization is read here: accounts and sign-ins, with who, from where and how', async t => {
  const { user } = (await call(app, 'POST /auth/register', { body: person })).body
  const from = '203.0.113.77'
  const headers = { 'user-agent': 'a browser' }
  const { body } = await call(app, 'POST /auth/login', { body: { email: person.email, password }, from, headers })
  t.equal(body.user.id, user.id)
  t.match(await list('limit=1'), [
    {
      type: 'session.started',
      organizationId: null,
      actor: { type: 'user', id: user.id },
      target: { type: 'session' },
      address: from,
      userAgent: 'a browser',
    },
  ])
  t.match(await list(`targetId=${user.id}`), [{ type: 'user.registered', organizationId: null }])
  const mine = await list(`actorId=${user.id}`)
  t.same(
    mine.map(({ type }) => type),
    ['session.started', 'user.registered'],
  )
  t.match(await list(`actorId=${user.id}&type=user.registered`), [{ type: 'user.registered' }])
})

t.test('what belongs to one is here too, and organizationId narrows to it', async t => {
  const body = { name: 'Project', description: null }
  await call(app, `POST /organizations/${organization.id}/projects`, { as: organization.owner, body })
  t.match(await list('limit=1'), [{ type: 'project.created', organizationId: organization.id }])
  const some = await list(`organizationId=${organization.id}`)
  t.ok(some.length > 0 && some.every(({ organizationId }) => organizationId === organization.id))
  t.same(await list(`organizationId=${organization.outsider.organizationId}`), [])
})

t.test('pages lead through the whole log, each event once', async t => {
  const found: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const { body } = await call(app, `GET /audit/events?limit=2${cursor && `&cursor=${cursor}`}`, { as: admin })
    found.push(...body.data.map(({ id }: Event) => id))
    cursor = body.meta.nextCursor
  }
  const all = await sql('select id from events order by position desc, seq desc')
  t.same(
    found,
    all.map(({ id }: Event) => id),
  )
})

t.test('only an admin of the platform reads it', async t => {
  const key = await createKey(test, organization.id, 'events:read')
  t.equal((await call(app, 'GET /audit/events')).status, 401)
  for (const as of [moderator, organization.owner, key])
    t.equal((await call(app, 'GET /audit/events', { as })).status, 403)
})
