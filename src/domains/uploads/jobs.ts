import type { FastifyInstance } from 'fastify'
import { defineJob } from '../../jobs/define.ts'
import { findExpired } from './queries.ts'
import { expireUpload } from './service/uploads.ts'

const expireUploads = defineJob<Record<string, never>>('uploads.expire', { expireSeconds: 300 })
const EVERY_FIVE_MINUTES = '*/5 * * * *'

export function registerUploadJobs({ jobs, database }: FastifyInstance): void {
  jobs.handleOutside(expireUploads, async () => {
    for (const { id } of await findExpired(database, {})) await database.transaction(tx => expireUpload(tx, id))
  })
  jobs.schedule(expireUploads, EVERY_FIVE_MINUTES, {})
}
