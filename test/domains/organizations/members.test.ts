import t from 'tap'
import { eraseAccount } from '../../../src/domains/auth/service/erasure.ts'
import { addMember, createKey, createOrganization, createUser, type TestUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'

const test = await testApp(t)
const { app, sql } = test
const { database, accounts } = app

const leave = (id: string, as: TestUser) => call(app, `POST /organizations/${id}/leave`, { as })
const transfer = (id: string, as: TestUser, userId: string) =>
  call(app, `POST /organizations/${id}/transfer-ownership`, { as, body: { userId } })
const remove = (id: string, as: TestUser, userId: string) =>
  call(app, `DELETE /organizations/${id}/members/${userId}`, { as })
const roleOf = async (id: string, userId: string): Promise<string | undefined> =>
  (await sql('select role from members where organization_id = $1 and user_id = $2', [id, userId]))[0]?.role
const owners = async (id: string): Promise<string[]> =>
  (await sql(`select user_id from members where organization_id = $1 and role = 'owner'`, [id])).map(
    (row: { user_id: string }) => row.user_id,
  )
const events = (id: string) =>
  sql('select type, actor_id, target_id, data from events where organization_id = $1 order by seq', [id])

t.test('every member may leave, is out with the next request, and the event says who left', async t => {
  const { id, viewer, member, admin } = await createOrganization(test)
  for (const someone of [viewer, member, admin]) {
    t.same([(await leave(id, someone)).status, await roleOf(id, someone.id)], [204, undefined])
    t.equal((await call(app, `GET /organizations/${id}`, { as: someone })).status, 404)
    t.equal((await leave(id, someone)).status, 404, 'nobody leaves twice')
  }
  const left = (user: TestUser) => ({
    type: 'member.removed',
    actor_id: user.id,
    target_id: user.id,
    data: { id: user.id, organizationId: id, userId: user.id },
  })
  t.match(await events(id), [left(viewer), left(member), left(admin)])
})

t.test('who is no member cannot leave, nor can a key', async t => {
  const { id, outsider } = await createOrganization(test)
  t.equal((await leave(id, outsider)).status, 404)
  const key = await createKey(test, id, 'organization:read', 'members:read')
  t.equal((await call(app, `POST /organizations/${id}/leave`, { as: key })).status, 403)
})

t.test('the last owner stays until another is owner', async t => {
  const { id, owner, admin } = await createOrganization(test)
  t.match((await leave(id, owner)).body, { status: 409, code: 'last_owner' })
  t.same(await owners(id), [owner.id])
  t.equal((await transfer(id, owner, admin.id)).status, 200)
  t.equal((await leave(id, owner)).status, 204)
  t.same(await owners(id), [admin.id])
})

t.test('ownership goes to another member, and the former owner is an admin', async t => {
  const { id, owner, viewer } = await createOrganization(test)
  const answer = await transfer(id, owner, viewer.id)
  t.match(answer, { status: 200, body: { organizationId: id, userId: viewer.id, role: 'owner' } })
  t.same([await roleOf(id, owner.id), await roleOf(id, viewer.id)], ['admin', 'owner'])
  t.match(await events(id), [
    { type: 'member.updated', actor_id: owner.id, target_id: viewer.id, data: { role: 'owner' } },
    { type: 'member.updated', actor_id: owner.id, target_id: owner.id, data: { role: 'admin' } },
  ])
  t.equal((await transfer(id, owner, owner.id)).status, 403, 'what one has not, one cannot give')
})

t.test('ownership goes to nobody outside, and an owner cannot give it to themselves', async t => {
  const { id, owner, admin, outsider } = await createOrganization(test)
  for (const userId of [outsider.id, owner.id, id]) {
    const { body } = await transfer(id, owner, userId)
    t.match(body, { status: 422, code: 'validation_failed', errors: [{ pointer: '#/userId' }] })
  }
  t.match((await transfer(id, admin, admin.id)).body, { status: 403 })
  t.equal((await transfer(id, outsider, outsider.id)).status, 404)
  t.same(await owners(id), [owner.id])
  t.same(await events(id), [])
})

t.test('an owner who gives ownership to two at once gives it to one', async t => {
  for (let round = 0; round < 5; round++) {
    const { id, owner, admin, member } = await createOrganization(test)
    const answers = await Promise.all([transfer(id, owner, admin.id), transfer(id, owner, member.id)])
    t.same(answers.map(({ status }) => status).toSorted(), [200, 403])
    t.equal((await owners(id)).length, 1)
    t.equal(await roleOf(id, owner.id), 'admin')
  }
})

t.test('a member who becomes owner while an admin removes them stays, or the owner does', async t => {
  for (let round = 0; round < 10; round++) {
    const { id, owner, admin, member } = await createOrganization(test)
    const answers = await Promise.all([transfer(id, owner, member.id), remove(id, admin, member.id)])
    t.ok(
      answers.every(({ status }) => [200, 204, 403, 422].includes(status)),
      answers.map(({ status }) => status).join(),
    )
    t.equal((await owners(id)).length, 1, 'there is an owner')
  }
})

t.test('of owners who all leave at once one stays', async t => {
  for (let round = 0; round < 5; round++) {
    const { id, owner } = await createOrganization(test)
    const others = await Promise.all([createUser(test), createUser(test), createUser(test)])
    for (const other of others) await addMember(test, id, other.id, 'owner')
    const answers = await Promise.all([owner, ...others].map(each => leave(id, each)))
    t.same(answers.map(({ status }) => status).toSorted(), [204, 204, 204, 409])
    t.equal((await owners(id)).length, 1)
  }
})

t.test('an account that is the last owner of an organization stays', async t => {
  const { id, owner, admin } = await createOrganization(test)
  const check = (user: TestUser) => database.transaction(tx => accounts.checkDeletion(tx, user.id))
  await t.rejects(check(owner), { code: 'last_owner', status: 409 })
  await check(admin)
  await transfer(id, owner, admin.id)
  await check(owner)
  await t.rejects(check(admin), { code: 'last_owner' })
})

t.test('the organizations of an account that is erased learn that the member is gone', async t => {
  const { id, admin } = await createOrganization(test)
  const other = await createOrganization(test)
  await addMember(test, other.id, admin.id, 'viewer')
  await sql(`update users set erase_at = now() - interval '1 second' where id = $1`, [admin.id])
  await database.transaction(tx => eraseAccount(app, tx, admin.id))
  t.same(await sql('select from users where id = $1', [admin.id]), [])
  for (const [organizationId, role] of [
    [id, 'admin'],
    [other.id, 'viewer'],
  ] as const) {
    t.equal(await roleOf(organizationId, admin.id), undefined)
    const data = { id: admin.id, organizationId, userId: admin.id, role }
    t.same(await events(organizationId), [{ type: 'member.removed', actor_id: null, target_id: admin.id, data }])
  }
})

t.test('of two owners one leaves and the other deletes the account at once: one stays', async t => {
  for (let round = 0; round < 10; round++) {
    const { id, owner, outsider } = await createOrganization(test)
    await addMember(test, id, outsider.id, 'owner')
    await sql('delete from members where organization_id = $1', [outsider.organizationId])
    const erase = database.transaction(async tx => {
      await accounts.checkDeletion(tx, outsider.id)
      await tx.execute('delete from users where id = $1', [outsider.id])
    })
    const [left, erased] = await Promise.allSettled([leave(id, owner), erase])
    const stayed = [left.status === 'fulfilled' && left.value.status === 409, erased.status === 'rejected']
    t.equal(stayed.filter(Boolean).length, 1)
    t.equal((await owners(id)).length, 1)
  }
})

t.test('who is no member is 404, also under If-Match', async t => {
  const { id, owner, outsider } = await createOrganization(test)
  const path = `/organizations/${id}/members/${outsider.id}`
  const headers = { 'if-match': '"1"' }
  t.equal((await call(app, `PATCH ${path}`, { as: owner, body: { role: 'viewer' }, headers })).status, 404)
  t.equal((await call(app, `DELETE ${path}`, { as: owner, headers })).status, 404)
})
