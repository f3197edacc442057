import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { defused } from '../../../lib/defused.ts'
import { sendReminder } from '../jobs/mail.ts'
import { findRecipient } from '../queries/digests.ts'
import { findReminded, takeDueReminders } from '../queries/reminders.ts'
import { unsubscribing } from './unsubscribing.ts'

/** How long before a task is due its assignee is reminded. */
const HOURS = 24
/** Tasks of one transaction, each with a job. */
const BATCH = 500

/** Enqueues a mail for each task that will be due; returns whether there may be more. */
export async function enqueueReminders({ jobs }: Pick<FastifyInstance, 'jobs'>, tx: Transaction): Promise<boolean> {
  const due = await takeDueReminders(tx, { hours: HOURS, limit: BATCH })
  for (const reminder of due) await jobs.enqueue(tx, sendReminder, reminder)
  return due.length === BATCH
}

/** Reminds the assignee, unless the task was completed, assigned to nobody or moved to another time meanwhile. */
export async function mailReminder(
  app: Pick<FastifyInstance, 'database' | 'mail' | 'keyring'>,
  publicUrl: string,
  reminder: { taskId: string; dueAt: string },
): Promise<void> {
  const task = await findReminded(app.database, reminder)
  if (!task?.assigneeId) return
  const recipient = await findRecipient(app.database, { userId: task.assigneeId })
  if (!recipient?.email || recipient.status !== 'active' || !recipient.emailNotifications) return
  const { locale, timezone, name, email } = recipient
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'short', timeZone: timezone })
  const { url, headers } = unsubscribing(app, publicUrl, 'reminders', task.assigneeId)
  const title = defused(task.title)
  const text = `Hello ${defused(name)},\n\n${title} (${defused(task.organization)}) is due on ${format.format(new Date(reminder.dueAt))}.\n\nNo more of these mails: ${url}\n`
  await app.mail.send({ to: email, subject: `Due soon: ${title}`, text, headers })
}
