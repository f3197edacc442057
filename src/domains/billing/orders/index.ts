import type { Domain } from '../../../plugins/domains.ts'
import { demoOrderId, insertDemoOrders } from './demo.ts'
import { orderRoutes } from './routes.ts'
import { orders as table } from './tables.ts'

export const orders: Domain = {
  name: 'billing/orders',
  tag: { name: 'orders', description: 'What an organization buys, at the prices of the moment.' },
  scopes: { 'orders:read': 'Read orders.', 'orders:write': 'Create, pay and cancel orders.' },
  tenantTables: [{ table, resource: 'order' }],
  demo: { ids: { orders: demoOrderId }, insert: insertDemoOrders },
  register: async app => void (await app.register(orderRoutes)),
}
