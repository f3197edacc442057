import t from 'tap'
import { enqueueReminders, mailReminder } from '../../../src/domains/reports/service/reminders.ts'
import { createOrganization } from '../../helpers/actors.ts'
import { anotherNode, testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createProject, createTask } from '../../helpers/factories.ts'
import { mailsTo } from '../../helpers/mail.ts'

const test = await testApp(t)
const { app, sql, config } = test
const other = await anotherNode(t, test)
const { id, owner, member, admin, viewer } = await createOrganization(test)
const projectId = await createProject(test, { organizationId: id })
const HOUR_MS = 3_600_000
const within = (hours: number) => new Date(Date.now() + hours * HOUR_MS).toISOString()
const task = (dueAt: string | null, assigneeId: string | null = member.id, status = 'open') =>
  createTask(test, { projectId, title: 'Write <b>it</b>', dueAt, assigneeId, status })
const enqueue = (node = app) => node.database.transaction(tx => enqueueReminders(node, tx))
const reminders = (taskId: string): Promise<{ taskId: string; dueAt: string }[]> =>
  sql(
    `select data -> 'payload' ->> 'taskId' as "taskId", data -> 'payload' ->> 'dueAt' as "dueAt" from jobs.job
      where name = 'reports.reminder_mail' and data -> 'payload' ->> 'taskId' = $1 order by 2`,
    [taskId],
  )

t.test('the assignee of a task that is due within a day is reminded once of each date', async t => {
  const [soon, moved] = [within(23), within(5)]
  const taskId = await task(soon)
  await Promise.all([enqueue(), enqueue(other)])
  await enqueue()
  t.same(await reminders(taskId), [{ taskId, dueAt: soon }])
  await call(app, `PATCH /tasks/${taskId}`, { as: owner, body: { dueAt: moved } })
  await enqueue()
  t.same(
    (await reminders(taskId)).map(({ dueAt }) => dueAt),
    [moved, soon],
  )
  await mailReminder(app, config.publicUrl, { taskId, dueAt: soon })
  t.same(await mailsTo(test, member.email), [], 'not of a date that is no longer true')
  await mailReminder(app, config.publicUrl, { taskId, dueAt: moved })
  const [mail] = await mailsTo(test, member.email)
  t.equal(mail?.subject, 'Due soon: Write <b>it</b>')
  t.match(mail?.headers, { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' })
})

t.test('nobody is reminded of what is done, far away, over, of nobody, or not to be told', async t => {
  await call(app, 'PATCH /users/me', { as: admin, body: { settings: { emailNotifications: false } } })
  const left = await createOrganization(test)
  const tasks = [
    await task(within(1), member.id, 'done'),
    await task(within(25)),
    await task(within(-1)),
    await task(within(1), null),
    await task(null),
    await task(within(1), admin.id),
    await task(within(1), left.member.id),
  ]
  await enqueue()
  for (const taskId of tasks) t.same(await reminders(taskId), [])
})

t.test('what is completed or unsubscribed between the look and the mail is not mailed', async t => {
  const dueAt = within(2)
  const [done, quiet] = [await task(dueAt, viewer.id), await task(dueAt, owner.id)]
  await enqueue()
  t.same([(await reminders(done)).length, (await reminders(quiet)).length], [1, 1])
  await call(app, `POST /tasks/${done}/complete`, { as: owner })
  await call(app, 'PATCH /users/me', { as: owner, body: { settings: { emailNotifications: false } } })
  for (const taskId of [done, quiet]) await mailReminder(app, config.publicUrl, { taskId, dueAt })
  t.same([await mailsTo(test, viewer.email), await mailsTo(test, owner.email)], [[], []])
})
