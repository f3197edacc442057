import type { FastifyInstance } from 'fastify'
import { BATCH_ROWS } from '../../database/batches.ts'
import { defineJob } from '../../jobs/define.ts'
import { deleteEvents as deleteOldEvents } from './queries/retention.ts'
import { passHorizon } from './service/retention.ts'

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
  jobs.handle(deleteEvents, async (place, tx) => {
    if ((await deleteOldEvents(tx, place)) >= BATCH_ROWS) await jobs.enqueue(tx, deleteEvents, place)
  })
  jobs.schedule(expireEvents, HOURLY, {})
}
