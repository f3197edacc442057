import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { everyone, member } from '../../../lib/access.ts'
import { orNotFound, problems } from '../../../lib/errors.ts'
import { route } from '../../../plugins/routes.ts'
import { Invoice } from '../invoices/schemas.ts'
import { Order } from '../orders/schemas.ts'
import { paymentErrors } from './errors.ts'
import { findPayment, listPayments } from './queries.ts'
import {
  CreatePayment,
  CreateRefund,
  PayInvoice,
  Payment,
  PaymentList,
  PaymentsQuery,
  PayOrder,
  Refund,
} from './schemas.ts'
import { receiveEvent } from './service/events.ts'
import { createPayment, createRefund, payInvoice, payOrder } from './service/payments.ts'

const money = { money: true, idempotency: 'required' } as const
/** Of the orders and invoices, whose services throw them. */
const orderProblems = ['order_not_pending', 'order_being_paid'].map(code => ({ code, status: 409 }))
const invoiceProblems = ['invoice_not_open', 'invoice_being_paid'].map(code => ({ code, status: 409 }))
const read = (of: string) => ({ access: member('viewer', of, 'payments:read'), money: true }) as const

export const paymentRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'POST',
    url: '/orders/:id/pay',
    config: {
      ...money,
      access: member('member', 'order', 'payments:write'),
      affects: ['payments', 'jobs.job'],
      records: ['payment.created'],
    },
    schema: {
      operationId: 'payOrder',
      summary: 'Pay an order',
      description:
        'Begins the payment that `paymentId` of the answer names. The order is paid when that has succeeded, and can be paid again when it has failed.',
      body: PayOrder,
      response: { 200: Order, ...problems(...orderProblems) },
    },
    handler: ({ caller, params, body, ifMatch }) => payOrder(app, caller, params.id, body?.paymentMethod, ifMatch),
  })

  route(app, {
    method: 'POST',
    url: '/invoices/:id/pay',
    config: {
      ...money,
      access: member('member', 'invoice', 'payments:write'),
      affects: ['payments', 'jobs.job'],
      records: ['payment.created'],
    },
    schema: {
      operationId: 'payInvoice',
      summary: 'Pay what is due of an invoice',
      description:
        'Begins the payment that `paymentId` of the answer names. The invoice is paid when that has succeeded, and can be paid again when it has failed.',
      body: PayInvoice,
      response: { 200: Invoice, ...problems(...invoiceProblems) },
    },
    handler: ({ caller, params, body, ifMatch }) => payInvoice(app, caller, params.id, body?.paymentMethod, ifMatch),
  })

  route(app, {
    method: 'POST',
    url: '/organizations/:id/payment-intents',
    config: {
      ...money,
      access: member('member', 'organization', 'payments:write'),
      affects: ['payments', 'jobs.job'],
    },
    schema: {
      operationId: 'createPayment',
      summary: 'Take an amount, without an order',
      body: CreatePayment,
      response: { 201: Payment },
    },
    handler: async ({ caller, params, body }, reply) => {
      const payment = await createPayment(app, caller, params.id, body)
      reply.header('location', `${app.prefix}/payments/${payment.id}`)
      return payment
    },
  })

  route(app, {
    method: 'GET',
    url: '/organizations/:id/payments',
    config: read('organization'),
    schema: {
      operationId: 'listPayments',
      summary: 'The payments of an organization',
      querystring: PaymentsQuery,
      response: { 200: PaymentList },
    },
    handler: async ({ params, query }) =>
      orNotFound(await listPayments(app.database, { organizationId: params.id }, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/payments/:id',
    config: read('payment'),
    schema: { operationId: 'getPayment', summary: 'A payment', response: { 200: Payment } },
    handler: async ({ params }) => orNotFound(await findPayment(app.database, { id: params.id })),
  })

  route(app, {
    method: 'POST',
    url: '/payments/:id/refunds',
    config: {
      ...money,
      access: member('admin', 'payment', 'payments:write'),
      affects: ['payments', 'jobs.job'],
      records: ['refund.created'],
    },
    schema: {
      operationId: 'createRefund',
      summary: 'Pay back a payment, or a part of it',
      body: CreateRefund,
      response: {
        202: Refund,
        ...problems(paymentErrors.payment_not_refundable, paymentErrors.refund_too_large),
      },
    },
    handler: async ({ caller, params, body }, reply) => {
      const refund = await createRefund(app, caller, params.id, body?.amountCents)
      reply.header('location', `${app.prefix}/payments/${refund.paymentId}`)
      return refund
    },
  })
}

const EVENT_BYTES = 5_242_880

/** Where Stripe sends its events. A plugin of its own: only this route takes the bytes of JSON as they are. */
export const stripeRoutes: FastifyPluginAsyncTypebox = async app => {
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, bytes, done) => done(null, bytes))
  app.post(
    '/webhooks/stripe',
    {
      bodyLimit: EVENT_BYTES,
      config: { access: everyone },
      schema: { hide: true, operationId: 'receiveStripeEvent', body: Type.Any() },
    },
    async ({ body, headers }) => {
      const { 'stripe-signature': signature = '' } = headers
      await receiveEvent(app, Buffer.isBuffer(body) ? body : Buffer.alloc(0), String(signature))
      return { received: true }
    },
  )
}
