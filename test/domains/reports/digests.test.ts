import { DateTime } from 'luxon'
import t from 'tap'
import { dueZones, enqueueDigests, mailDigest } from '../../../src/domains/reports/service/digests.ts'
import { createOrganization, type TestUser } from '../../helpers/actors.ts'
import { anotherNode, listen, testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createProject, createTask } from '../../helpers/factories.ts'
import { mailsTo, tokenIn } from '../../helpers/mail.ts'

const test = await testApp(t)
const { app, sql, config } = test
const other = await anotherNode(t, test)
const base = await listen(app)
const utc = (time: string) => DateTime.fromISO(time, { zone: 'utc' })
const wants = (user: TestUser, settings: object) => call(app, 'PATCH /users/me', { as: user, body: { settings } })
const settingsOf = async (user: TestUser) => (await call(app, 'GET /users/me', { as: user })).body.settings
const enqueue = (now: DateTime, node = app) => node.database.transaction(tx => enqueueDigests(node, tx, now))

/** The days of the digests that were enqueued for a user. */
const enqueued = async ({ id }: TestUser): Promise<string[]> =>
  (
    await sql(
      `select data -> 'payload' ->> 'day' as day from jobs.job
        where name = 'reports.digest_mail' and data -> 'payload' ->> 'userId' = $1 order by 1`,
      [id],
    )
  ).map(({ day }: { day: string }) => day)

t.test('it is morning where the clock shows 8, also on days that have 23 or 25 hours', async t => {
  const zones = ['Europe/Berlin', 'America/St_Johns', 'Pacific/Kiritimati', 'Mars/Olympus']
  const at = (time: string) =>
    dueZones(zones, utc(time)).map(({ timezone, day, monday }) => `${timezone} ${day} ${monday}`)
  t.same(at('2026-03-28T06:59:00Z'), ['Pacific/Kiritimati 2026-03-28 false'])
  t.same(at('2026-03-28T07:00:00Z'), ['Europe/Berlin 2026-03-28 false', 'Pacific/Kiritimati 2026-03-28 false'])
  t.match(at('2026-03-29T06:00:00Z'), ['Europe/Berlin 2026-03-29 false'], 'an hour earlier in summer')
  t.match(at('2026-10-25T06:59:00Z'), ['Pacific/Kiritimati'], 'and later in winter')
  t.match(at('2026-10-26T10:30:00Z'), ['Europe/Berlin 2026-10-26 true', 'America/St_Johns 2026-10-26 true'])
})

t.test('who wants a digest gets one for each day, however many processes look', async t => {
  const { member, admin, viewer } = await createOrganization(test)
  await wants(member, { digest: 'daily', timezone: 'Asia/Tokyo' })
  await wants(admin, { digest: 'weekly' })
  for (const time of ['2026-05-08T22:59:00Z', '2026-05-08T23:00:00Z', '2026-05-09T14:59:00Z'])
    await Promise.all([enqueue(utc(time)), enqueue(utc(time), other)])
  t.same([await enqueued(member), await enqueued(admin)], [['2026-05-09'], []])
  for (const time of ['2026-05-10T23:00:00Z', '2026-05-11T08:00:00Z', '2026-05-11T20:00:00Z'])
    await Promise.all([enqueue(utc(time)), enqueue(utc(time), other)])
  t.same([await enqueued(member), await enqueued(admin)], [['2026-05-09', '2026-05-11'], ['2026-05-11']])
  t.same(await enqueued(viewer), [], 'nobody else gets one')
})

t.test('a digest tells what is late, what is due and what was done, by the clock of the user', async t => {
  const { id, member } = await createOrganization(test)
  const projectId = await createProject(test, { organizationId: id })
  const task = (title: string, dueAt: string | null, assigneeId: string | null = member.id, status = 'open') =>
    createTask(test, { projectId, title, dueAt, assigneeId, status })
  await wants(member, { digest: 'daily', timezone: 'Europe/Berlin', locale: 'en-GB' })
  await task('late one', '2026-03-28T22:59:59Z')
  await task('first of the short day', '2026-03-28T23:00:00Z')
  await task('last of the short day', '2026-03-29T21:59:59Z')
  await task('of the next day', '2026-03-29T22:00:00Z')
  await task('of nobody', '2026-03-29T12:00:00Z', null)
  await task('done already', '2026-03-29T12:00:00Z', member.id, 'done')
  const done = await task('done yesterday', null, member.id, 'done')
  await sql('update tasks set completed_at = $2 where id = $1', [done, '2026-03-28T10:00:00Z'])
  await mailDigest(app, config.publicUrl, { userId: member.id, day: '2026-03-29' })
  const [mail] = await mailsTo(test, member.email)
  t.equal(mail?.subject, 'Your tasks, 2026-03-29')
  t.match(mail?.text, /completed 1 task in the day before/)
  t.match(mail?.text, /Overdue:\n- late one \(Organization\), 28 Mar 2026, 23:59\n\nDue/)
  t.match(mail?.text, /first of the short day .*00:00\n- last of the short day .*23:59\n\n/)
  for (const absent of ['next day', 'of nobody', 'done already']) t.notMatch(mail?.text, absent)
})

t.test('nothing is sent when there is nothing to say, or when it is no longer wanted', async t => {
  const { id, member, admin } = await createOrganization(test)
  await wants(member, { digest: 'weekly' })
  await mailDigest(app, config.publicUrl, { userId: member.id, day: '2026-03-30' })
  await createTask(test, {
    projectId: await createProject(test, { organizationId: id }),
    dueAt: '2026-03-31T12:00:00Z',
    assigneeId: admin.id,
  })
  await mailDigest(app, config.publicUrl, { userId: admin.id, day: '2026-03-30' })
  t.same([await mailsTo(test, member.email), await mailsTo(test, admin.email)], [[], []])
})

t.test('a mail program unsubscribes with one click, a person on the page; as often as they like', async t => {
  const { id, member } = await createOrganization(test)
  await wants(member, { digest: 'weekly' })
  const projectId = await createProject(test, { organizationId: id })
  await createTask(test, { projectId, dueAt: '2026-04-01T12:00:00Z', assigneeId: member.id })
  await mailDigest(app, config.publicUrl, { userId: member.id, day: '2026-03-30' })
  const [mail] = await mailsTo(test, member.email)
  const { headers = {}, text = '' } = mail ?? {}
  t.equal(headers['List-Unsubscribe-Post'], 'List-Unsubscribe=One-Click')
  const link = /^<(.*)>$/.exec(headers['List-Unsubscribe'] as string)?.[1] as string
  t.ok(text.includes(link))
  const path = link.slice(config.publicUrl.length)
  t.equal((await fetch(base + path)).status, 200)
  t.match(await settingsOf(member), { digest: 'weekly' }, 'looking at the page changes nothing')
  const form = new FormData()
  form.set('List-Unsubscribe', 'One-Click')
  for (const body of ['List-Unsubscribe=One-Click', form]) {
    const headers = typeof body === 'string' ? { 'content-type': 'application/x-www-form-urlencoded' } : {}
    t.equal((await fetch(base + path, { method: 'POST', body, headers })).status, 200)
    t.match(await settingsOf(member), { digest: 'none', emailNotifications: true })
    await wants(member, { digest: 'daily' })
  }
  const body = new URLSearchParams({ token: tokenIn({ text }) })
  t.equal((await fetch(`${base}/unsubscribe`, { method: 'POST', body })).status, 200)
  t.match(await settingsOf(member), { digest: 'none' })
})

t.test('an invented link changes nothing', async t => {
  for (const token of ['invented', 'A'.repeat(100), ''])
    for (const method of ['GET', 'POST']) {
      const { status } = await fetch(`${base}/unsubscribe?token=${token}`, { method })
      t.ok(status >= 400 && status < 500, `${method} ${token}: ${status}`)
    }
})
