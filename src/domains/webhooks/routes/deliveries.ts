import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { member } from '../../../lib/access.ts'
import { orNotFound, problems, requestErrors } from '../../../lib/errors.ts'
import { route } from '../../../plugins/routes.ts'
import { webhookErrors } from '../errors.ts'
import { findDelivery, listDeliveries } from '../queries/deliveries.ts'
import { DeliveriesQuery, Delivery, DeliveryList, RecoverWebhook, Recovery } from '../schemas/deliveries.ts'
import { recoverWebhook, resendDelivery, testWebhook } from '../service/deliveries.ts'

const write = member('admin', 'webhook', 'webhooks:write')

export const deliveryRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'GET',
    url: '/webhooks/:id/deliveries',
    config: { access: member('admin', 'webhook', 'webhooks:read') },
    schema: {
      operationId: 'listWebhookDeliveries',
      summary: 'What was sent to a webhook and what is to be sent, with every attempt',
      querystring: DeliveriesQuery,
      response: { 200: DeliveryList },
    },
    handler: async ({ organizationId, params, query }) =>
      orNotFound(await listDeliveries(app.database, { organizationId, webhookId: params.id }, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/deliveries/:id',
    config: { access: member('admin', 'delivery', 'webhooks:read') },
    schema: {
      operationId: 'getDelivery',
      summary: 'A delivery with its attempts',
      response: { 200: Delivery },
    },
    handler: async ({ params }) => orNotFound(await findDelivery(app.database, { id: params.id })),
  })

  route(app, {
    method: 'POST',
    url: '/webhooks/:id/test',
    config: { access: write, affects: ['deliveries'], records: ['webhook.tested'] },
    schema: {
      operationId: 'testWebhook',
      summary: 'Send `webhook.tested` to a webhook, whatever its filter; answers with the delivery',
      response: { 202: Delivery, ...problems(webhookErrors.webhook_disabled, requestErrors.precondition_failed) },
    },
    async handler({ caller, params, ifMatch }, reply) {
      const delivery = await testWebhook(caller, params.id, ifMatch)
      reply.code(202).header('location', `/api/v1/deliveries/${delivery.id}`)
      return delivery
    },
  })

  route(app, {
    method: 'POST',
    url: '/webhooks/:id/recover',
    config: { access: write, affects: ['deliveries'], records: ['webhook.recovered'] },
    schema: {
      operationId: 'recoverWebhook',
      summary: 'Send what a webhook missed since a time: what failed, was cancelled, or happened before it existed',
      body: RecoverWebhook,
      response: { 200: Recovery, ...problems(webhookErrors.webhook_disabled, requestErrors.precondition_failed) },
    },
    handler: ({ caller, params, body, ifMatch }) => recoverWebhook(caller, params.id, body.since, ifMatch),
  })

  route(app, {
    method: 'POST',
    url: '/deliveries/:id/resend',
    config: { access: member('admin', 'delivery', 'webhooks:write') },
    schema: {
      operationId: 'resendDelivery',
      summary: 'Send a delivery again, with the same `webhook-id`',
      response: { 200: Delivery, ...problems(webhookErrors.webhook_disabled, webhookErrors.event_expired) },
    },
    handler: ({ caller, params, ifMatch }) => resendDelivery(caller, params.id, ifMatch),
  })
}
