import type { FastifyInstance } from 'fastify'
import { DateTime } from 'luxon'
import type { Transaction } from '../../../database/client.ts'
import { defused } from '../../../lib/defused.ts'
import { sendDigest } from '../jobs/mail.ts'
import {
  countCompleted,
  type DigestTask,
  findDigestZones,
  findDueTasks,
  findRecipient,
  type Recipient,
  takeDueDigests,
} from '../queries/digests.ts'
import { unsubscribing } from './unsubscribing.ts'

const HOUR = 8
const MONDAY = 1
/** Users of one transaction, each with a job. */
const BATCH = 500
/** Of many tasks, a mail names the first. */
const LINES = 20
/** Longer than any task is overdue. */
const OVERDUE_YEARS = 100

type App = Pick<FastifyInstance, 'jobs' | 'database'>

/** Returns the day in each zone where it is 8 in the morning or later. A zone that is not known here is left out. */
export function dueZones(zones: readonly string[], now: DateTime) {
  return zones.flatMap(timezone => {
    const here = now.setZone(timezone)
    return here.isValid && here.hour >= HOUR
      ? [{ timezone, day: here.toISODate(), monday: here.weekday === MONDAY }]
      : []
  })
}

/** Enqueues a mail for each user whose digest is due; returns whether there may be more. */
export async function enqueueDigests({ jobs }: App, tx: Transaction, now: DateTime): Promise<boolean> {
  const zones = dueZones(
    (await findDigestZones(tx, {})).map(({ timezone }) => timezone),
    now,
  )
  if (zones.length === 0) return false
  const due = await takeDueDigests(tx, { zones: JSON.stringify(zones), limit: BATCH })
  for (const { userId, day } of due) await jobs.enqueue(tx, sendDigest, { userId, day })
  return due.length === BATCH
}

/** Mails what a user has done and has to do. Sends nothing when there is nothing to say, or when it is no longer wanted. */
export async function mailDigest(
  app: Pick<FastifyInstance, 'database' | 'mail' | 'keyring'>,
  publicUrl: string,
  { userId, day }: { userId: string; day: string },
): Promise<void> {
  const recipient = await findRecipient(app.database, { userId })
  if (!recipient?.email || recipient.status !== 'active' || recipient.digest === 'none') return
  const { before, begin, end } = periodOf(recipient, day)
  const [late, next, done] = await Promise.all([
    findDueTasks(app.database, {
      userId,
      from: before.minus({ years: OVERDUE_YEARS }).toISO(),
      to: begin.toISO(),
      limit: LINES,
    }),
    findDueTasks(app.database, { userId, from: begin.toISO(), to: end.toISO(), limit: LINES }),
    countCompleted(app.database, { userId, from: before.toISO(), to: begin.toISO() }),
  ])
  const completed = done?.count ?? 0
  if (late.length + next.length + completed === 0) return
  const { url, headers } = unsubscribing(app, publicUrl, 'digest', userId)
  const text = textOf(recipient, { late, next, completed, url })
  await app.mail.send({ to: recipient.email, subject: `Your tasks, ${day}`, text, headers })
}

type Valid = DateTime<true>

/** The day or week before the digest, and the one after it, from midnight to midnight by the clock of the user. */
function periodOf({ timezone, digest }: Recipient, day: string): { before: Valid; begin: Valid; end: Valid } {
  const given = DateTime.fromISO(day, { zone: timezone })
  const begin = (given.isValid ? given : DateTime.fromISO(day, { zone: 'UTC' })) as Valid
  const length = digest === 'weekly' ? { days: 7 } : { days: 1 }
  return { before: begin.minus(length), begin, end: begin.plus(length) }
}

interface Content {
  late: DigestTask[]
  next: DigestTask[]
  completed: number
  url: string
}

function textOf({ name, locale, timezone, digest }: Recipient, { late, next, completed, url }: Content): string {
  const period = digest === 'weekly' ? 'week' : 'day'
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: timezone })
  const lines = (tasks: DigestTask[]) =>
    tasks.map(
      task =>
        `- ${defused(task.title)} (${defused(task.organization)}), ${format.format(new Date(task.dueAt as string))}`,
    )
  const parts = [
    completed > 0 ? `You completed ${completed} ${completed === 1 ? 'task' : 'tasks'} in the ${period} before.` : '',
    late.length > 0 ? ['Overdue:', ...lines(late)].join('\n') : '',
    next.length > 0 ? [`Due in this ${period}:`, ...lines(next)].join('\n') : '',
  ].filter(part => part !== '')
  return `Hello ${defused(name)},\n\n${parts.join('\n\n')}\n\nNo more of these mails: ${url}\n`
}
