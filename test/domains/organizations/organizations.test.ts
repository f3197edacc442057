import t from 'tap'
import { addMember, createOrganization, createUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createProject } from '../../helpers/factories.ts'

const test = await testApp(t)
const { app, sql } = test

const setRole = (id: string, userId: string, role: string, as: Parameters<typeof call>[2] & object) =>
  call(app, `PATCH /organizations/${id}/members/${userId}`, { ...as, body: { role } })
const roles = async (id: string) =>
  Object.fromEntries(
    (await sql('select user_id, role from members where organization_id = $1', [id])).map(
      (row: { user_id: string; role: string }) => [row.user_id, row.role],
    ),
  )

t.test('who creates an organization owns it, and only members see it', async t => {
  const as = await createUser(test)
  const { status, body, headers } = await call(app, 'POST /organizations', { as, body: { name: 'Żółw & Söhne GmbH' } })
  t.equal(status, 201)
  t.match(body, { role: 'owner', slug: /^zo-w-sohne-gmbh-[0-9a-f]{8}$/ })
  t.equal(headers.location, `/api/v1/organizations/${body.id}`)
  t.same((await call(app, 'GET /organizations', { as })).body.data, [body])
  t.same((await call(app, 'GET /organizations', { as: await createUser(test) })).body.data, [])
})

t.test('a slug belongs to one organization', async t => {
  const as = await createUser(test)
  const create = (slug: string) => call(app, 'POST /organizations', { as, body: { name: 'x', slug } })
  t.equal((await create('taken')).status, 201)
  t.match((await create('taken')).body, { status: 409, code: 'slug_taken' })
  const { id } = (await create('free')).body
  t.equal((await call(app, `PATCH /organizations/${id}`, { as, body: { slug: 'taken' } })).status, 409)
  for (const slug of ['Taken', 'a', '-a', 'a-', 'a--b', 'a_b', 'a b']) t.equal((await create(slug)).status, 422, slug)
})

t.test('the last owner can be neither demoted nor removed', async t => {
  const { id, owner } = await createOrganization(test)
  t.match((await setRole(id, owner.id, 'admin', { as: owner })).body, { status: 409, code: 'last_owner' })
  const remove = await call(app, `DELETE /organizations/${id}/members/${owner.id}`, { as: owner })
  t.match(remove.body, { status: 409, code: 'last_owner' })
  t.equal((await roles(id))[owner.id], 'owner')
})

t.test('only an owner makes, changes or removes an owner', async t => {
  const { id, owner, admin, member } = await createOrganization(test)
  const code = { status: 403, code: 'owner_required' }
  t.match((await setRole(id, member.id, 'owner', { as: admin })).body, code)
  t.match((await setRole(id, owner.id, 'viewer', { as: admin })).body, code)
  t.match((await call(app, `DELETE /organizations/${id}/members/${owner.id}`, { as: admin })).body, code)
  t.match((await setRole(id, admin.id, 'owner', { as: admin })).body, code, 'not even of oneself')
  t.match(await roles(id), { [owner.id]: 'owner', [admin.id]: 'admin', [member.id]: 'member' })
  t.equal((await setRole(id, member.id, 'owner', { as: owner })).status, 200)
  t.equal((await setRole(id, owner.id, 'member', { as: owner })).status, 200, 'now another is owner')
})

t.test('when two owners leave at once, one stays', async t => {
  for (let round = 0; round < 10; round++) {
    const { id, owner, outsider } = await createOrganization(test)
    await addMember(test, id, outsider.id, 'owner')
    const leave = (as: typeof owner) => call(app, `DELETE /organizations/${id}/members/${as.id}`, { as })
    const demote = (as: typeof owner) => setRole(id, as.id, 'viewer', { as })
    const answers = await Promise.all([leave(owner), round % 2 ? leave(outsider) : demote(outsider)])
    const statuses = answers.map(({ status }) => status).toSorted()
    t.same(statuses.filter(status => status < 300).length, 1, statuses.join())
    t.same(statuses.at(-1), 409)
    t.equal(Object.values(await roles(id)).filter(role => role === 'owner').length, 1)
  }
})

t.test('a change of role counts from the next request on', async t => {
  const { id, owner, member } = await createOrganization(test)
  const projectId = await createProject(test, { organizationId: id })
  const create = () => call(app, `POST /projects/${projectId}/tasks`, { as: member, body: { title: 'x' } })
  t.equal((await create()).status, 201)
  await setRole(id, member.id, 'viewer', { as: owner })
  t.equal((await create()).status, 403)
  await call(app, `DELETE /organizations/${id}/members/${member.id}`, { as: owner })
  t.equal((await create()).status, 404)
})

t.test('members are found by role and by part of a name or an address', async t => {
  const { id, viewer, admin } = await createOrganization(test)
  const list = async (query: string) =>
    (await call(app, `GET /organizations/${id}/members?${query}`, { as: viewer })).body.data.map(
      (row: { userId: string }) => row.userId,
    )
  t.same(await list('role=admin'), [admin.id])
  t.same(await list(`search=${admin.email.slice(5, 45)}`), [admin.id])
  t.equal((await list('limit=100')).length, 4)
})
