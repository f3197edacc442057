import type { Domain } from '../../../plugins/domains.ts'
import { demoAccountId, demoHoldId, demoTransferId, insertDemoLedger } from './demo.ts'
import { registerLedgerJobs } from './jobs/register.ts'
import { accountRoutes } from './routes/accounts.ts'
import { holdRoutes } from './routes/holds.ts'
import { transferRoutes } from './routes/transfers.ts'
import { registerLedgerTenancy } from './service/accounts.ts'

export const ledger: Domain = {
  name: 'billing/ledger',
  tag: { name: 'ledger', description: 'Double-entry accounts, transfers between them, and holds.' },
  scopes: {
    'ledger:read': 'Read accounts, their entries and transfers.',
    'ledger:write': 'Create accounts, make and reverse transfers, and hold amounts.',
  },
  demo: { ids: { accounts: demoAccountId, holds: demoHoldId, transfers: demoTransferId }, insert: insertDemoLedger },
  async register(app) {
    registerLedgerTenancy(app)
    registerLedgerJobs(app)
    for (const routes of [accountRoutes, transferRoutes, holdRoutes]) await app.register(routes)
  },
}
