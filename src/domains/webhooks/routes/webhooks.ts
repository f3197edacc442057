import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { member } from '../../../lib/access.ts'
import { problems } from '../../../lib/errors.ts'
import { resourceRoutes } from '../../../plugins/resources.ts'
import { route } from '../../../plugins/routes.ts'
import { webhookErrors } from '../errors.ts'
import { webhookResource } from '../queries/webhooks.ts'
import {
  CreateWebhook,
  NewWebhook,
  RotateWebhookSecret,
  UpdateWebhook,
  Webhook,
  WebhooksQuery,
} from '../schemas/webhooks.ts'
import { createWebhook, rotateWebhookSecret, updateWebhook } from '../service/webhooks.ts'

const write = member('admin', 'webhook', 'webhooks:write')

export const webhookRoutes: FastifyPluginAsyncTypebox = async app => {
  resourceRoutes(app, webhookResource, {
    list: {
      access: ['admin', 'webhooks:read'],
      querystring: WebhooksQuery,
      summary: 'The webhooks of an organization, without their secrets',
    },
    get: { access: ['admin', 'webhooks:read'] },
    delete: { access: ['admin', 'webhooks:write'], summary: 'Delete a webhook with its deliveries' },
  })

  route(app, {
    method: 'POST',
    url: '/organizations/:id/webhooks',
    config: { access: member('admin', 'organization', 'webhooks:write'), cache: 'no-store' },
    schema: {
      operationId: 'createWebhook',
      summary: 'Create a webhook; the secret is in this answer and nowhere else',
      body: CreateWebhook,
      response: {
        201: NewWebhook,
        ...problems(webhookErrors.webhook_limit_reached),
      },
    },
    handler: ({ caller, params, body }) => createWebhook(app, caller, params.id, body),
  })

  route(app, {
    method: 'PATCH',
    url: '/webhooks/:id',
    config: { access: write, affects: ['deliveries'] },
    schema: {
      operationId: 'updateWebhook',
      summary: 'Change a webhook; disabling it cancels what is still to be sent',
      body: UpdateWebhook,
      response: { 200: Webhook },
    },
    handler: ({ caller, params, body, ifMatch }) => updateWebhook(app, caller, params.id, body, ifMatch),
  })

  route(app, {
    method: 'POST',
    url: '/webhooks/:id/rotate-secret',
    config: { access: write, cache: 'no-store' },
    schema: {
      operationId: 'rotateWebhookSecret',
      summary: 'A new secret for a webhook; the one before signs too for the overlap',
      body: RotateWebhookSecret,
      response: { 200: NewWebhook },
    },
    handler: ({ caller, params, body, ifMatch }) =>
      rotateWebhookSecret(app, caller, params.id, ifMatch, body?.overlapSeconds),
  })
}
