import type { FastifyInstance } from 'fastify'
import { defineJob } from '../../jobs/define.ts'
import { eraseNext } from './service/deletions.ts'

/** One step of a deletion; it ends what has begun, so it is repeated for weeks before somebody has to look. */
export const continueDeletion = defineJob<{ deletionId: string }>('organizations.delete', { retry: { limit: 500 } })

export function registerOrganizationJobs(app: FastifyInstance): void {
  app.jobs.handle(continueDeletion, async ({ deletionId }, tx) => {
    if (await eraseNext(app, tx, deletionId)) await app.jobs.enqueue(tx, continueDeletion, { deletionId })
  })
}
