import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { member } from '../../../lib/access.ts'
import { orNotFound, problems } from '../../../lib/errors.ts'
import { moneyErrors } from '../../../lib/money.ts'
import { route } from '../../../plugins/routes.ts'
import { subscriptionErrors } from './errors.ts'
import { findSubscription, listSubscriptions } from './queries.ts'
import {
  CancelSubscription,
  CreateSubscription,
  Subscription,
  SubscriptionList,
  SubscriptionsQuery,
  UpdateSubscription,
} from './schemas.ts'
import {
  type Billing,
  cancelSubscription,
  createSubscription,
  pauseSubscription,
  resumeSubscription,
  updateSubscription,
} from './service/subscriptions.ts'

const read = (of: string) => ({ access: member('viewer', of, 'subscriptions:read'), money: true }) as const
const write = (of: string) => ({ access: member('admin', of, 'subscriptions:write'), money: true }) as const
const { subscription_not_active, subscription_canceled, subscription_not_stopped } = subscriptionErrors
/** What follows from charging for a subscription. */
const charged = {
  affects: ['invoices', 'invoice_numbers', 'subscription_invoices', 'payments', 'jobs.job'],
  records: ['invoice.created', 'invoice.issued', 'payment.created'],
}

export const subscriptionRoutes: FastifyPluginAsyncTypebox<{ billing: Billing }> = async (app, { billing }) => {
  route(app, {
    method: 'POST',
    url: '/organizations/:id/subscriptions',
    config: {
      ...write('organization'),
      idempotency: 'required',
      affects: charged.affects,
      records: ['subscription.created', ...charged.records],
    },
    schema: {
      operationId: 'createSubscription',
      summary: 'Start a subscription, with a trial or with its first period',
      body: CreateSubscription,
      response: { 201: Subscription, ...problems(moneyErrors.amount_out_of_range) },
    },
    handler: ({ caller, params, body }) => createSubscription(billing, caller, params.id, body),
  })

  route(app, {
    method: 'GET',
    url: '/organizations/:id/subscriptions',
    config: read('organization'),
    schema: {
      operationId: 'listSubscriptions',
      summary: 'The subscriptions of an organization',
      querystring: SubscriptionsQuery,
      response: { 200: SubscriptionList },
    },
    handler: async ({ params, query }) =>
      orNotFound(await listSubscriptions(app.database, { organizationId: params.id }, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/subscriptions/:id',
    config: read('subscription'),
    schema: { operationId: 'getSubscription', summary: 'A subscription', response: { 200: Subscription } },
    handler: async ({ params }) => orNotFound(await findSubscription(app.database, { id: params.id })),
  })

  route(app, {
    method: 'PATCH',
    url: '/subscriptions/:id',
    config: {
      ...write('subscription'),
      affects: charged.affects,
      records: ['subscription.updated', ...charged.records],
    },
    schema: {
      operationId: 'updateSubscription',
      summary: 'Change plan or quantity, at once or with the next period, or what pays',
      description:
        'At once: what is unused of the period is given back and the rest of it charged for the new plan, in one invoice. What adds up to less than nothing is taken off the next one.',
      body: UpdateSubscription,
      response: {
        200: Subscription,
        ...problems(subscription_not_active, subscription_canceled, moneyErrors.amount_out_of_range),
      },
    },
    handler: ({ caller, params, body, ifMatch }) => updateSubscription(billing, caller, params.id, body, ifMatch),
  })

  route(app, {
    method: 'POST',
    url: '/subscriptions/:id/pause',
    config: write('subscription'),
    schema: {
      operationId: 'pauseSubscription',
      summary: 'Pause a subscription: what is paid for lasts longer by the pause',
      response: { 200: Subscription, ...problems(subscription_not_active, subscription_canceled) },
    },
    handler: ({ caller, params, ifMatch }) => pauseSubscription(billing, caller, params.id, ifMatch),
  })

  route(app, {
    method: 'POST',
    url: '/subscriptions/:id/resume',
    config: write('subscription'),
    schema: {
      operationId: 'resumeSubscription',
      summary: 'Go on with a subscription that is paused, or that would end with its period',
      response: { 200: Subscription, ...problems(subscription_not_stopped, subscription_canceled) },
    },
    handler: ({ caller, params, ifMatch }) => resumeSubscription(billing, caller, params.id, ifMatch),
  })

  route(app, {
    method: 'POST',
    url: '/subscriptions/:id/cancel',
    config: write('subscription'),
    schema: {
      operationId: 'cancelSubscription',
      summary: 'End a subscription with its period, or at once; nothing is paid back',
      body: CancelSubscription,
      response: { 200: Subscription, ...problems(subscription_canceled) },
    },
    handler: ({ caller, params, body, ifMatch }) =>
      cancelSubscription(billing, caller, params.id, body?.when ?? 'period_end', ifMatch),
  })
}
