import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../database/client.ts'
import type { Caller } from '../../events/caller.ts'
import { record } from '../../events/record.ts'
import { demoId, demoWebhookSecret } from '../../lib/demo.ts'
import { orNotFound } from '../../lib/errors.ts'
import { demoOrganizationId } from '../organizations/demo.ts'
import { demoTaskId } from '../tasks/demo.ts'
import { demoUserId } from '../users/demo.ts'
import { webhookEvents } from './events.ts'
import { insertDemoDelivery } from './queries/demo.ts'
import { insertWebhook } from './queries/webhooks.ts'
import { readSecret, sealSecret } from './service/secrets.ts'

export const demoWebhookId = demoId(60)
export const demoDeliveryId = demoId(61)

/** The receiver of `examples/webhook-receiver`. It gets only tests, so that nothing fails where it does not run. */
const URL = 'http://localhost:4000/'

export async function insertDemoWebhook(tx: Transaction, caller: Caller, { keyring }: FastifyInstance): Promise<void> {
  const webhook = await insertWebhook(tx, {
    id: demoWebhookId,
    organizationId: demoOrganizationId,
    url: URL,
    eventTypes: ['webhook.tested'],
    description: 'The example receiver',
    secret: sealSecret(keyring, demoWebhookId, readSecret(demoWebhookSecret)),
    createdBy: demoUserId,
  })
  await record(tx, caller, webhookEvents.created, orNotFound(webhook))
  await insertDemoDelivery(tx, { id: demoDeliveryId, webhookId: demoWebhookId, targetId: demoTaskId })
}
