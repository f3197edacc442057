import type { FastifyInstance } from 'fastify'
import { defineJob } from '../../jobs/define.ts'
import { keepUsage } from './service/usage.ts'

const keep = defineJob<Record<string, never>>('reports.keep_usage', { expireSeconds: 600 })
/** After midnight and again in the morning, for events that were committed late. */
const TWICE_A_DAY = '11 0,6 * * *'

export function registerReportJobs({ jobs }: FastifyInstance): void {
  jobs.handle(keep, async (_payload, tx) => {
    if (await keepUsage(tx)) await jobs.enqueue(tx, keep, {})
  })
  jobs.schedule(keep, TWICE_A_DAY, {})
}
