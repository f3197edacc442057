import type { FastifyInstance } from 'fastify'
import { defineJob } from '../../jobs/define.ts'
import { deleteOldDeliveries } from './queries/deliveries.ts'
import { mailDisabled } from './service/mails.ts'
import { reencryptSecrets } from './service/reencryption.ts'

export const sendDisabledMail = defineJob<{ webhookId: string; userId: string }>('webhooks.disabled_mail')
const reencrypt = defineJob<Record<string, never>>('webhooks.reencrypt')
const expireDeliveries = defineJob<Record<string, never>>('webhooks.expire_deliveries')
const HOURLY = '41 * * * *'
const LATER_HOURLY = '47 * * * *'

export function registerWebhookJobs(app: FastifyInstance, days: number | null): void {
  const { jobs, keyring } = app
  jobs.handleOutside(sendDisabledMail, ({ webhookId, userId }) => mailDisabled(app, webhookId, userId))
  jobs.handle(reencrypt, async (_payload, tx) => {
    if (await reencryptSecrets(tx, keyring)) await jobs.enqueue(tx, reencrypt, {})
  })
  jobs.schedule(reencrypt, HOURLY, {})
  // Deliveries are kept as long as their events, at least.
  jobs.sweep(expireDeliveries, LATER_HOURLY, async tx => (days === null ? 0 : deleteOldDeliveries(tx, { days })))
}
