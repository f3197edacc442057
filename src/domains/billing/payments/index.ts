import type { Domain } from '../../../plugins/domains.ts'
import { demoPaymentId, insertDemoPayment } from './demo.ts'
import { registerPaymentJobs } from './jobs.ts'
import { paymentRoutes, stripeRoutes } from './routes.ts'
import { refunds, payments as table } from './tables.ts'

export const payments: Domain = {
  name: 'billing/payments',
  tag: { name: 'payments', description: 'Money that comes in, and what of it is paid back.' },
  scopes: { 'payments:read': 'Read payments.', 'payments:write': 'Begin payments and refunds.' },
  tenantTables: [{ table, resource: 'payment' }, { table: refunds }],
  demo: { ids: { payments: demoPaymentId }, insert: insertDemoPayment },
  register: async app => {
    registerPaymentJobs(app)
    await app.register(paymentRoutes)
    if (app.payments.readEvent) await app.register(stripeRoutes)
  },
}
