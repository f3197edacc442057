import t from 'tap'
import { createKey, createOrganization, createUser, type TestUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { awaitMail, eventually, mailsTo, tokenIn } from '../../helpers/mail.ts'

const test = await testApp(t, { works: true, appUrl: 'https://app.example.com' })
const { app, sql } = test

let strangers = 0
const stranger = () => `stranger-${++strangers}@example.com`
const invite = (id: string, as: TestUser, email: string, role = 'member') =>
  call(app, `POST /organizations/${id}/invitations`, { as, body: { email, role } })
const resend = (id: string, as: TestUser, invitationId: string) =>
  call(app, `POST /organizations/${id}/invitations/${invitationId}/resend`, { as })
const rows = (id: string) => sql('select * from invitations where organization_id = $1', [id])
const queueIsEmpty = async () =>
  (await sql(`select from jobs.job where name = 'organizations.invitation_mail' and state < 'completed'`)).length === 0

t.test('who is invited gets a mail with a link of the front end, and the answer holds no token', async t => {
  const { id, admin } = await createOrganization(test)
  const email = stranger()
  const { status, body, headers, text } = await invite(id, admin, email.toUpperCase(), 'viewer')
  t.equal(status, 201)
  t.same(Object.keys(body), [
    'id',
    'organizationId',
    'email',
    'role',
    'invitedBy',
    'expiresAt',
    'createdAt',
    'updatedAt',
  ])
  t.match(body, { organizationId: id, email, role: 'viewer', invitedBy: admin.id })
  t.equal(Math.round((Date.parse(body.expiresAt) - Date.now()) / 86_400_000), 7)
  t.same((await call(app, `GET ${headers.location?.slice('/api/v1'.length)}`, { as: admin })).body, body)
  const mail = await awaitMail(test, email)
  t.match(mail.text, /https:\/\/app\.example\.com\/invitation\?token=[\w-]{43}\n/)
  t.match(mail.text, /“Organization” with the role viewer/)
  t.notMatch(text, tokenIn(mail))
})

t.test('the name of the organization is one line of the mail, and no link', async t => {
  const { id, owner, admin } = await createOrganization(test)
  const names = {
    'evil.com': 'evil[.]com',
    'https://evil.com/a?b': 'https[:]//evil[.]com/a?b',
    'evil\u3002com': 'evil[.]com',
    'mailto:a@evil.com': 'mailto[:]a@evil[.]com',
    'Free\n\nClick https://localhost': 'Free Click https[:]//localhost',
    'a\u202e\u200bb': 'a b',
    'St. Mary’s Ltd.': 'St. Mary’s Ltd.',
  }
  for (const [name, shown] of Object.entries(names)) {
    t.equal((await call(app, `PATCH /organizations/${id}`, { as: owner, body: { name } })).status, 200)
    const email = stranger()
    await invite(id, admin, email)
    t.ok((await awaitMail(test, email)).text.startsWith(`You are invited to join “${shown}” with the role`), shown)
  }
})

t.test('the token stands in no row, the address in no event', async t => {
  const { id, admin } = await createOrganization(test)
  const email = stranger()
  await invite(id, admin, email)
  const token = tokenIn(await awaitMail(test, email))
  for (const table of ['invitations', 'events', 'jobs.job', 'idempotency_keys'])
    t.equal((await sql(`select from ${table} r where r::text like '%' || $1 || '%'`, [token])).length, 0, table)
  for (const table of ['events', 'jobs.job'])
    t.equal((await sql(`select from ${table} r where r::text like '%' || $1 || '%'`, [email])).length, 0, table)
  const [event] = await sql('select * from events where organization_id = $1', [id])
  const [invitation] = await rows(id)
  t.match(event, { type: 'invitation.created', actor_id: admin.id, target_id: invitation.id })
  t.same(event.data, { id: invitation.id, organizationId: id, role: 'member' })
})

t.test('whether the address has an account makes no difference', async t => {
  const { id, admin } = await createOrganization(test)
  const known = await createUser(test)
  const unknown = `user-${known.id.replace(/.$/, 'x')}@example.com`
  const answers = [await invite(id, admin, known.email), await invite(id, admin, unknown)]
  const [a, b] = answers.map(({ status, headers, body }) => ({
    status,
    headers: Object.keys(headers).toSorted(),
    length: headers['content-length'],
    keys: Object.keys(body),
    rest: { ...body, id: '', email: '', createdAt: '', updatedAt: '', expiresAt: '' },
  }))
  t.same(a, b)
  const mails = [await awaitMail(test, known.email), await awaitMail(test, unknown)]
  const [first, second] = mails.map(({ subject, text }) => ({ subject, text: text.replace(/token=.*/, '') }))
  t.same(first, second)
})

t.test('only an admin invites, only an owner an owner', async t => {
  const { id, owner, admin, member, viewer, outsider } = await createOrganization(test)
  for (const as of [member, viewer]) t.equal((await invite(id, as, stranger())).status, 403)
  t.equal((await invite(id, outsider, stranger())).status, 404)
  t.match((await invite(id, admin, stranger(), 'owner')).body, { status: 403, code: 'owner_required' })
  t.equal((await rows(id)).length, 0)
  t.equal((await invite(id, admin, stranger(), 'admin')).status, 201)
  const { body } = await invite(id, owner, stranger(), 'owner')
  t.match(body, { role: 'owner' })
  t.match((await resend(id, admin, body.id)).body, { status: 403, code: 'owner_required' })
})

t.test('a member cannot be invited, nor an address twice, not even at once', async t => {
  const { id, admin, viewer } = await createOrganization(test)
  t.match((await invite(id, admin, viewer.email.toUpperCase())).body, { status: 409, code: 'already_member' })
  const email = stranger()
  const answers = await Promise.all(Array.from({ length: 5 }, () => invite(id, admin, email)))
  t.same(answers.map(({ status }) => status).toSorted(), [201, 409, 409, 409, 409])
  t.match(answers.find(({ status }) => status === 409)?.body, { code: 'invitation_pending' })
  t.equal((await rows(id)).length, 1)
  await eventually(queueIsEmpty, 'the queue is empty')
  t.equal((await mailsTo(test, email)).length, 1)
})

t.test('an invitation that has expired gives way to a new one', async t => {
  const { id, owner, admin } = await createOrganization(test)
  const email = stranger()
  const { body: first } = await invite(id, admin, email, 'admin')
  await awaitMail(test, email)
  await sql(`update invitations set expires_at = now() - interval '1 second' where id = $1`, [first.id])
  const { status, body } = await invite(id, owner, email, 'viewer')
  t.equal(status, 201)
  t.not(body.id, first.id)
  t.match(await rows(id), [{ id: body.id, role: 'viewer', invited_by: owner.id }])
  t.not(tokenIn(await awaitMail(test, email, 2)), tokenIn(await awaitMail(test, email)))
})

t.test('sent again it has another token, and the one before is dead at once', async t => {
  const { id, owner, admin } = await createOrganization(test)
  const email = stranger()
  const { body } = await invite(id, admin, email)
  const first = tokenIn(await awaitMail(test, email))
  await sql(`update invitations set expires_at = now() - interval '1 second' where id = $1`, [body.id])
  const again = await resend(id, owner, body.id)
  t.match(again, { status: 200, body: { id: body.id, email, invitedBy: owner.id } })
  t.ok(Date.parse(again.body.expiresAt) > Date.now())
  const register = (token: string) =>
    call(app, 'POST /invitations/register', { body: { token, name: 'Grace', password: 'correct horse battery' } })
  t.match((await register(first)).body, { status: 400, code: 'invitation_invalid' })
  const second = tokenIn(await awaitMail(test, email, 2))
  t.match((await register(first)).body, { status: 400, code: 'invitation_invalid' })
  t.equal((await register(second)).status, 201)
  const types = await sql('select type, actor_id from events where target_id = $1 order by seq', [body.id])
  t.match(types, [
    { type: 'invitation.created', actor_id: admin.id },
    { type: 'invitation.resent', actor_id: owner.id },
    { type: 'invitation.accepted' },
  ])
})

t.test('an admin lists and revokes what is pending, in their own organization only', async t => {
  const { id, admin, member, outsider } = await createOrganization(test)
  const path = `/organizations/${id}/invitations`
  const ids: string[] = []
  for (const role of ['viewer', 'member', 'viewer']) ids.push((await invite(id, admin, stranger(), role)).body.id)
  const list = async (query = '') => {
    const { body } = await call(app, `GET ${path}${query}`, { as: admin })
    return body.data.map((row: { id: string }) => row.id)
  }
  t.same(await list(), ids.toReversed())
  t.same(await list('?role=member'), [ids[1]])
  const { body } = await call(app, `GET ${path}?limit=2`, { as: admin })
  t.same(await list(`?limit=2&cursor=${body.meta.nextCursor}`), [ids[0]])
  t.equal((await call(app, `GET ${path}`, { as: member })).status, 403)
  t.equal((await call(app, `GET ${path}`, { as: await createKey(test, id, 'members:read') })).status, 403)

  const elsewhere = `/organizations/${outsider.organizationId}/invitations/${ids[0]}`
  t.equal((await call(app, `DELETE ${elsewhere}`, { as: outsider })).status, 404)
  t.equal((await call(app, `POST ${elsewhere}/resend`, { as: outsider })).status, 404)
  const stale = await call(app, `DELETE ${path}/${ids[0]}`, { as: admin, headers: { 'if-match': '"9"' } })
  t.equal(stale.status, 412)
  t.equal((await call(app, `DELETE ${path}/${ids[0]}`, { as: admin })).status, 204)
  t.equal((await call(app, `DELETE ${path}/${ids[0]}`, { as: admin })).status, 404)
  t.same(await list(), [ids[2], ids[1]])
  const [event] = await sql(`select data from events where target_id = $1 and type = 'invitation.revoked'`, [ids[0]])
  t.same(event.data, { id: ids[0], organizationId: id, role: 'viewer' })
})

t.test('what is revoked before its mail is sent is not sent', async t => {
  const { id, admin } = await createOrganization(test)
  const email = stranger()
  await eventually(queueIsEmpty, 'the queue is empty')
  const { body } = await invite(id, admin, email)
  await sql('delete from invitations where id = $1', [body.id])
  await eventually(queueIsEmpty, 'the queue is empty')
  t.ok((await mailsTo(test, email)).length <= 1, 'unless the worker was faster')
})

t.test('an organization has 500 invitations pending at most; those that have expired do not count', async t => {
  const { id, admin } = await createOrganization(test)
  await sql(
    `insert into invitations (id, organization_id, email, role, expires_at)
      select gen_random_uuid(), $1, 'guest-' || n || '@example.com', 'viewer', now() + interval '1 day'
      from generate_series(1, 499) n`,
    [id],
  )
  const answers = await Promise.all([invite(id, admin, stranger()), invite(id, admin, stranger())])
  t.same(answers.map(({ status }) => status).toSorted(), [201, 409])
  t.match(answers.find(({ status }) => status === 409)?.body, { code: 'too_many_invitations' })
  await sql(
    `update invitations set expires_at = now() - interval '1 second' where organization_id = $1 and email = 'guest-1@example.com'`,
    [id],
  )
  t.equal((await invite(id, admin, stranger())).status, 201)
})

t.test('nobody is sent more than five mails an hour, whoever invites; what sends none is not counted', async t => {
  const [email, refused] = [stranger(), { status: 429, code: 'rate_limited' }]
  const { id, admin, member } = await createOrganization(test)
  const { body: first } = await invite(id, admin, email)
  for (let n = 0; n < 6; n++) t.equal((await invite(id, admin, email)).status, 409)
  for (let n = 0; n < 2; n++) t.equal((await resend(id, admin, first.id)).status, 200)
  for (let n = 0; n < 2; n++) {
    const other = await createOrganization(test)
    t.equal((await invite(other.id, other.owner, email.toUpperCase())).status, 201)
  }
  const before = await rows(id)
  t.match((await resend(id, admin, first.id)).body, refused)
  t.same(await rows(id), before, 'the link of the mail before stays good')
  const other = await createOrganization(test)
  t.match((await invite(other.id, other.owner, email)).body, refused)
  t.same(await rows(other.id), [])
  t.equal((await invite(id, admin, stranger())).status, 201, 'others are free')
  for (let n = 0; n < 6; n++) t.equal((await invite(id, admin, member.email)).status, 409)
  t.equal((await call(app, 'POST /auth/password/forgot', { body: { email: member.email } })).status, 202)
})

t.test('the name of an organization cannot break out of its line in the mail', async t => {
  const { id, admin, owner } = await createOrganization(test)
  const name = 'Evil\r\nBcc: all@example.com\n\nClick https://evil.example'
  await call(app, `PATCH /organizations/${id}`, { as: owner, body: { name } })
  const email = stranger()
  await invite(id, admin, email)
  const { subject, text } = await awaitMail(test, email)
  t.equal(subject, 'You are invited to an organization')
  t.match(text, 'join “Evil Bcc: all@example[.]com Click https[:]//evil[.]example” with')
})
