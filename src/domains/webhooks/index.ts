import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config.ts'
import type { Domain } from '../../plugins/domains.ts'
import { demoDeliveryId, demoWebhookId, insertDemoWebhook } from './demo.ts'
import { registerWebhookJobs } from './jobs.ts'
import { deliveryRoutes } from './routes/deliveries.ts'
import { webhookRoutes } from './routes/webhooks.ts'
import { registerDispatch } from './service/dispatch/register.ts'
import { deliveries, webhooks as table } from './tables.ts'

async function register(app: FastifyInstance, config: Config) {
  await app.register(webhookRoutes)
  await app.register(deliveryRoutes)
  registerWebhookJobs(app, config.eventRetentionDays)
  registerDispatch(app, config)
}

export const webhooks: Domain = {
  name: 'webhooks',
  tag: { name: 'webhooks', description: 'Endpoints of partners, what was sent to them and what is to be sent.' },
  scopes: {
    'webhooks:read': 'Read webhooks and their deliveries.',
    'webhooks:write': 'Create, change, test and delete webhooks, and rotate their secrets.',
  },
  tenantTables: [
    { table, resource: 'webhook', grantsAccess: true },
    { table: deliveries, resource: 'delivery' },
  ],
  demo: { ids: { webhooks: demoWebhookId, deliveries: demoDeliveryId }, insert: insertDemoWebhook },
  register,
}
