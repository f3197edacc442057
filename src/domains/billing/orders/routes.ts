import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { member } from '../../../lib/access.ts'
import { orNotFound, problems } from '../../../lib/errors.ts'
import { moneyErrors } from '../../../lib/money.ts'
import { route } from '../../../plugins/routes.ts'
import { orderErrors } from './errors.ts'
import { findOrder, listOrders } from './queries.ts'
import { CreateOrder, Order, OrderList, OrdersQuery } from './schemas.ts'
import { cancelOrder, createOrder } from './service.ts'

const read = (of: string) => ({ access: member('viewer', of, 'orders:read'), money: true }) as const
const { order_not_pending, order_being_paid } = orderErrors

export const orderRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'POST',
    url: '/organizations/:id/orders',
    config: {
      access: member('member', 'organization', 'orders:write'),
      money: true,
      idempotency: 'required',
      affects: ['order_lines'],
    },
    schema: {
      operationId: 'createOrder',
      summary: 'Order products at their prices of now; the totals are computed here',
      description:
        'All lines are in one currency: `currency`, or without it that of the first one-time price of the first product.',
      body: CreateOrder,
      response: { 201: Order, ...problems(moneyErrors.amount_out_of_range) },
    },
    handler: ({ caller, params, body }) => createOrder(caller, params.id, body),
  })

  route(app, {
    method: 'GET',
    url: '/organizations/:id/orders',
    config: read('organization'),
    schema: {
      operationId: 'listOrders',
      summary: 'The orders of an organization',
      querystring: OrdersQuery,
      response: { 200: OrderList },
    },
    handler: async ({ params, query }) =>
      orNotFound(await listOrders(app.database, { organizationId: params.id }, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/orders/:id',
    config: read('order'),
    schema: { operationId: 'getOrder', summary: 'An order', response: { 200: Order } },
    handler: async ({ params }) => orNotFound(await findOrder(app.database, { id: params.id })),
  })

  route(app, {
    method: 'POST',
    url: '/orders/:id/cancel',
    config: { access: member('member', 'order', 'orders:write'), money: true },
    schema: {
      operationId: 'cancelOrder',
      summary: 'Cancel an order that is not paid',
      response: { 200: Order, ...problems(order_not_pending, order_being_paid) },
    },
    handler: ({ caller, params, ifMatch }) => cancelOrder(caller, params.id, ifMatch),
  })
}
