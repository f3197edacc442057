import type { FastifyInstance } from 'fastify'
import { DateTime } from 'luxon'
import { defineJob } from '../../../jobs/define.ts'
import { enqueueDigests, mailDigest } from '../service/digests.ts'
import { enqueueReminders, mailReminder } from '../service/reminders.ts'
import { keepUsage } from '../service/usage.ts'
import { sendDigest, sendReminder } from './mail.ts'

type Nothing = Record<string, never>
const keep = defineJob<Nothing>('reports.keep_usage', { expireSeconds: 600 })
/** After midnight and again in the morning, for events that were committed late. */
const TWICE_A_DAY = '11 0,6 * * *'
const findDigests = defineJob<Nothing>('reports.due_digests')
/** Some time zones differ from the others by a quarter of an hour. */
const QUARTERLY = '1,16,31,46 * * * *'
const findReminders = defineJob<Nothing>('reports.due_reminders')
const EVERY_TEN_MINUTES = '*/10 * * * *'

export function registerReportJobs(app: FastifyInstance, publicUrl: string): void {
  const { jobs } = app
  jobs.handle(keep, async (_payload, tx) => {
    if (await keepUsage(tx)) await jobs.enqueue(tx, keep, {})
  })
  jobs.handle(findDigests, async (_payload, tx) => {
    if (await enqueueDigests(app, tx, DateTime.utc())) await jobs.enqueue(tx, findDigests, {})
  })
  jobs.handle(findReminders, async (_payload, tx) => {
    if (await enqueueReminders(app, tx)) await jobs.enqueue(tx, findReminders, {})
  })
  jobs.handleOutside(sendDigest, digest => mailDigest(app, publicUrl, digest))
  jobs.handleOutside(sendReminder, reminder => mailReminder(app, publicUrl, reminder))
  jobs.schedule(keep, TWICE_A_DAY, {})
  jobs.schedule(findDigests, QUARTERLY, {})
  jobs.schedule(findReminders, EVERY_TEN_MINUTES, {})
}
