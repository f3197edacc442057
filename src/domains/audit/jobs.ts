import type { FastifyInstance } from 'fastify'
import { defineJob } from '../../jobs/define.ts'
import { deleteUpTo, passHorizon } from './service/retention.ts'

/** A reader that was let in before the horizon moved has this time to read its first page. */
const GRACE_MS = 600_000
/** A log that has grown for years is deleted within one job. */
const EXPIRE_SECONDS = 3_000
const HOURLY = '7 * * * *'

const expireEvents = defineJob<Record<string, never>>('audit.expire_events', { expireSeconds: EXPIRE_SECONDS })
const deleteEvents = defineJob<{ position: string; seq: number }>('audit.delete_events', {
  expireSeconds: EXPIRE_SECONDS,
})

/** Deletes events that are older than `days` days; null keeps them for ever. */
export function registerRetention({ jobs, database }: FastifyInstance, days: number | null): void {
  jobs.handleOutside(expireEvents, async () => {
    const horizon = days === null ? undefined : await passHorizon(database, days)
    if (!horizon) return
    const startAfter = new Date(Date.now() + GRACE_MS).toISOString()
    await database.transaction(tx => jobs.enqueue(tx, deleteEvents, horizon, null, { startAfter }))
  })
  jobs.handleOutside(deleteEvents, place => deleteUpTo(database, place))
  jobs.schedule(expireEvents, HOURLY, {})
}
