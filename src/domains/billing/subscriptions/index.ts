import type { Domain } from '../../../plugins/domains.ts'
import { demoSubscriptionId, insertDemoSubscription } from './demo.ts'
import { registerSubscriptionJobs } from './jobs/register.ts'
import { subscriptionRoutes } from './routes.ts'
import { subscriptionInvoices, subscriptions as table } from './tables.ts'

export const subscriptions: Domain = {
  name: 'billing/subscriptions',
  tag: { name: 'subscriptions', description: 'Products that an organization pays for period by period.' },
  scopes: {
    'subscriptions:read': 'Read subscriptions.',
    'subscriptions:write': 'Start, change, pause, resume and cancel subscriptions.',
  },
  tenantTables: [{ table, resource: 'subscription' }, { table: subscriptionInvoices }],
  demo: { ids: { subscriptions: demoSubscriptionId }, insert: insertDemoSubscription },
  register: async (app, { subscriptionLastResort: lastResort }) => {
    const billing = { app, lastResort }
    registerSubscriptionJobs(app, billing)
    await app.register(subscriptionRoutes, { billing })
  },
}
