import type { FastifyInstance } from 'fastify'
import { defineJob } from '../../jobs/define.ts'
import { interruptAll } from './service/settle.ts'

const interruptExpired = defineJob<Record<string, never>>('chat.interrupt_expired')
const EVERY_MINUTE = '* * * * *'

export function registerChatJobs(app: FastifyInstance): void {
  app.jobs.handleOutside(interruptExpired, () => interruptAll(app))
  app.jobs.schedule(interruptExpired, EVERY_MINUTE, {})
}
