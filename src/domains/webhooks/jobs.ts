import type { FastifyInstance } from 'fastify'
import { defineJob } from '../../jobs/define.ts'
import { mailDisabled } from './service/mails.ts'
import { reencryptSecrets } from './service/reencryption.ts'

export const sendDisabledMail = defineJob<{ webhookId: string; userId: string }>('webhooks.disabled_mail')
const reencrypt = defineJob<Record<string, never>>('webhooks.reencrypt')
const HOURLY = '41 * * * *'

export function registerWebhookJobs(app: FastifyInstance): void {
  const { jobs, keyring } = app
  jobs.handleOutside(sendDisabledMail, ({ webhookId, userId }) => mailDisabled(app, webhookId, userId))
  jobs.handle(reencrypt, async (_payload, tx) => {
    if (await reencryptSecrets(tx, keyring)) await jobs.enqueue(tx, reencrypt, {})
  })
  jobs.schedule(reencrypt, HOURLY, {})
}
