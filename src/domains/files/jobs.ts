import type { FastifyInstance } from 'fastify'
import { defineJob } from '../../jobs/define.ts'
import { removeOrphans } from './service/orphans.ts'

export const removeBytes = defineJob<{ fileId: string }>('files.remove')
const collectOrphans = defineJob<Record<string, never>>('files.collect', { expireSeconds: 600 })
/** With the least age of an orphan, bytes without a row are gone within the hour. */
const THRICE_AN_HOUR = '*/20 * * * *'

export function registerFileJobs(app: FastifyInstance): void {
  const { jobs, storage } = app
  jobs.handleOutside(removeBytes, ({ fileId }) => storage.remove(fileId))
  jobs.handleOutside(collectOrphans, () => removeOrphans(app))
  jobs.schedule(collectOrphans, THRICE_AN_HOUR, {})
}
