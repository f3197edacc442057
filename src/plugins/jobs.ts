import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { defineJob } from '../jobs/define.ts'
import { Jobs } from '../jobs/queue.ts'
import { deleteExpiredAnswers } from './idempotency/queries.ts'

declare module 'fastify' {
  interface FastifyInstance {
    jobs: Jobs
  }
}

const expireIdempotencyKeys = defineJob<Record<string, never>>('idempotency.expire')
const HOURLY = '17 * * * *'

async function jobs(
  app: FastifyInstance,
  { url, works, fastPath }: { url: string; works: boolean; fastPath: boolean },
) {
  const queue = new Jobs(url, { works, log: app.log, fastPath, tracing: app.tracing })
  app.decorate('jobs', queue)
  queue.sweep(expireIdempotencyKeys, HOURLY, tx => deleteExpiredAnswers(tx, {}))
  app.addHook('onReady', () => queue.start({ works }))
  app.addHook('onClose', () => queue.stop())
}

export const jobsPlugin = fp(jobs, { name: 'jobs', dependencies: ['database'] })
