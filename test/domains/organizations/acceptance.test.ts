import t from 'tap'
import { setInvitationToken } from '../../../src/domains/organizations/queries/invitations.ts'
import { randomToken, sha256 } from '../../../src/lib/crypto.ts'
import { newId } from '../../../src/lib/ids.ts'
import {
  addMember,
  createOrganization,
  createUser,
  type TestOrganization,
  type TestUser,
} from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'

const test = await testApp(t)
const { app, sql } = test
const PASSWORD = 'correct horse battery'

type Organization = Pick<TestOrganization, 'id' | 'owner'>

/** Creates an invitation; returns its id and a token as the mail would contain it. */
async function invited({ id, owner }: Organization, email: string, { role = 'member', by = owner } = {}) {
  const answer = await call(app, `POST /organizations/${id}/invitations`, { as: by, body: { email, role } })
  t.equal(answer.status, 201)
  const token = randomToken()
  await setInvitationToken(app.database, { id: answer.body.id, hash: sha256(token) })
  return { invitationId: answer.body.id as string, token }
}

const accept = (as: TestUser, token: string) => call(app, 'POST /invitations/accept', { as, body: { token } })
const register = (token: string, body = {}) =>
  call(app, 'POST /invitations/register', { body: { token, name: 'Grace', password: PASSWORD, ...body } })
const roleOf = async (id: string, userId: string): Promise<string | undefined> =>
  (await sql('select role from members where organization_id = $1 and user_id = $2', [id, userId]))[0]?.role
const invitations = (id: string) => sql('select id from invitations where organization_id = $1', [id])
const INVALID = { status: 400, code: 'invitation_invalid' }
const address = () => `guest-${newId()}@example.com`

t.test('who has an account accepts and is a member with the role of the invitation', async t => {
  const organization = await createOrganization(test)
  const { id } = organization
  const guest = await createUser(test)
  const { token, invitationId } = await invited(organization, guest.email.toUpperCase(), { role: 'viewer' })
  t.equal((await call(app, `GET /organizations/${id}`, { as: guest })).status, 404)
  const answer = await accept(guest, token)
  t.match(answer, { status: 200, body: { organizationId: id, userId: guest.id, email: guest.email, role: 'viewer' } })
  t.match((await call(app, `GET /organizations/${id}`, { as: guest })).body, { role: 'viewer' })
  t.same(await invitations(id), [])
  const events = await sql('select * from events where organization_id = $1 and actor_id = $2 order by seq', [
    id,
    guest.id,
  ])
  t.match(events, [
    { type: 'invitation.accepted', target_id: invitationId, data: { id: invitationId, role: 'viewer' } },
    { type: 'member.added', target_id: guest.id, data: { userId: guest.id, role: 'viewer' } },
  ])
  t.match((await accept(guest, token)).body, INVALID, 'a token works once')
})

t.test('who has no account makes one with the invited address, confirmed, and may log in', async t => {
  const organization = await createOrganization(test)
  const { id } = organization
  const email = address()
  const { token } = await invited(organization, email, { role: 'admin' })
  const answer = await register(token)
  t.equal(answer.status, 201)
  t.match(answer.body.user, { email, name: 'Grace', role: 'user', status: 'active', emailVerifiedAt: /Z$/ })
  t.equal(answer.headers['cache-control'], 'no-store')
  t.notMatch(answer.text, /hash|password|token/i)
  const { id: userId } = answer.body.user
  t.equal(await roleOf(id, userId), 'admin')
  const login = await call(app, 'POST /auth/login', { body: { email, password: PASSWORD } })
  const as = { headers: { authorization: `Bearer ${login.body.accessToken}` } }
  t.match((await call(app, `GET /organizations/${id}`, { as })).body, { role: 'admin' })
  const events = await sql('select type from events where actor_id = $1 order by seq', [userId])
  t.same(
    events.slice(0, 4).map(({ type }: { type: string }) => type),
    ['user.registered', 'user.email_verified', 'invitation.accepted', 'member.added'],
  )
})

t.test('an address with an account is told to sign in, and the invitation stays good', async t => {
  const organization = await createOrganization(test)
  const guest = await createUser(test)
  const { token } = await invited(organization, guest.email)
  t.match((await register(token)).body, { status: 409, code: 'account_exists' })
  t.equal(await roleOf(organization.id, guest.id), undefined)
  t.equal((await accept(guest, token)).status, 200)
})

t.test('the invitation of another address is refused and stays good', async t => {
  const organization = await createOrganization(test)
  const [guest, thief] = [await createUser(test), await createUser(test)]
  const { token } = await invited(organization, guest.email)
  t.match((await accept(thief, token)).body, { status: 403, code: 'invitation_for_another' })
  await sql('update users set email = null where id = $1', [thief.id])
  t.match((await accept(thief, token)).body, { status: 403, code: 'invitation_for_another' })
  t.equal(await roleOf(organization.id, thief.id), undefined)
  t.equal((await accept(guest, token)).status, 200)
})

t.test('a weak password makes no account and uses nothing up', async t => {
  const organization = await createOrganization(test)
  const { token } = await invited(organization, address())
  t.match((await register(token, { password: 'password1' })).body, { status: 422, code: 'validation_failed' })
  t.equal((await register(token, { role: 'admin' })).status, 422)
  t.equal((await register(token)).status, 201)
})

t.test('expired, revoked, of a deleted organization or made up: one and the same answer', async t => {
  const spoilers: ((organization: Organization, invitationId: string) => Promise<unknown>)[] = [
    (_, id) => sql(`update invitations set expires_at = now() - interval '1 second' where id = $1`, [id]),
    ({ id, owner }, invitationId) =>
      call(app, `DELETE /organizations/${id}/invitations/${invitationId}`, { as: owner }),
    ({ id, owner }) => call(app, `DELETE /organizations/${id}`, { as: owner }),
  ]
  const answers: object[] = []
  for (const spoil of spoilers) {
    const organization = await createOrganization(test)
    const guest = await createUser(test)
    const { token, invitationId } = await invited(organization, guest.email)
    await spoil(organization, invitationId)
    for (const { status, body } of [await accept(guest, token), await register(token)])
      answers.push({ status, ...body, requestId: '' })
    t.equal(await roleOf(organization.id, guest.id), undefined)
  }
  const { status, body } = await accept(await createUser(test), randomToken())
  const madeUp = { status, ...body, requestId: '' }
  t.match(madeUp, INVALID)
  for (const answer of answers) t.same(answer, madeUp)
})

t.test('the role is never more than who invited could still grant', async t => {
  const organization = await createOrganization(test)
  const { id, owner, admin } = organization
  const guest = await createUser(test)
  const { token, invitationId } = await invited(organization, guest.email, { by: admin })
  const demote = (role: string) =>
    call(app, `PATCH /organizations/${id}/members/${admin.id}`, { as: owner, body: { role } })
  await demote('member')
  t.match((await accept(guest, token)).body, INVALID)
  t.match((await register(token)).body, INVALID)
  await demote('admin')
  await call(app, `POST /organizations/${id}/leave`, { as: admin })
  t.match((await accept(guest, token)).body, INVALID, 'who is gone lets nobody in')
  t.equal((await invitations(id)).length, 1, 'but the invitation can be sent again by another')
  await call(app, `POST /organizations/${id}/invitations/${invitationId}/resend`, { as: owner })
  const fresh = randomToken()
  await setInvitationToken(app.database, { id: invitationId, hash: sha256(fresh) })
  t.equal((await accept(guest, fresh)).status, 200)
})

t.test('who invited an owner must still be one', async t => {
  const organization = await createOrganization(test)
  const { id, owner, admin } = organization
  const guest = await createUser(test)
  const { token } = await invited(organization, guest.email, { role: 'owner' })
  const body = { userId: admin.id }
  t.equal((await call(app, `POST /organizations/${id}/transfer-ownership`, { as: owner, body })).status, 200)
  t.match((await accept(guest, token)).body, INVALID)
  t.equal(await roleOf(id, guest.id), undefined)
})

t.test('accepted several times at once it counts once', async t => {
  const organization = await createOrganization(test)
  const { id } = organization
  const guest = await createUser(test)
  const { token } = await invited(organization, guest.email)
  const accepted = await Promise.all(Array.from({ length: 6 }, () => accept(guest, token)))
  t.same(accepted.map(({ status }) => status).toSorted(), [200, 400, 400, 400, 400, 400])
  const email = address()
  const { token: other } = await invited(organization, email)
  const registered = await Promise.all(Array.from({ length: 6 }, () => register(other)))
  t.same(registered.map(({ status }) => status).toSorted(), [201, 400, 400, 400, 400, 400])
  t.equal((await sql('select from users where email = $1', [email])).length, 1)
  const added = await sql(`select from events where organization_id = $1 and type = 'member.added'`, [id])
  t.equal(added.length, 2)
})

t.test('accepted while the organization is deleted, nobody gets in', async t => {
  for (let round = 0; round < 10; round++) {
    const organization = await createOrganization(test)
    const { id, owner } = organization
    const guest = await createUser(test)
    const { token } = await invited(organization, guest.email)
    const [accepted, deleted] = await Promise.all([
      accept(guest, token),
      call(app, `DELETE /organizations/${id}`, { as: owner }),
    ])
    t.equal(deleted.status, 202)
    t.ok([200, 400].includes(accepted.status), String(accepted.status))
    t.equal(await roleOf(id, guest.id), undefined)
  }
})

t.test('who became a member otherwise is told so', async t => {
  const organization = await createOrganization(test)
  const guest = await createUser(test)
  const { token } = await invited(organization, guest.email, { role: 'admin' })
  await addMember(test, organization.id, guest.id, 'viewer')
  t.match((await accept(guest, token)).body, { status: 409, code: 'already_member' })
  t.equal(await roleOf(organization.id, guest.id), 'viewer')
})

t.test('with an idempotency key the answer is the same, and refused again under another', async t => {
  const organization = await createOrganization(test)
  const guest = await createUser(test)
  const { token } = await invited(organization, guest.email)
  const send = (key: string) =>
    call(app, 'POST /invitations/accept', { as: guest, body: { token }, headers: { 'idempotency-key': key } })
  const [first, second] = [await send('a'), await send('a')]
  t.equal(first.status, 200)
  t.same([second.status, second.text], [first.status, first.text])
  t.match((await send('b')).body, INVALID)
})
