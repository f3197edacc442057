import type { Domain } from '../../../plugins/domains.ts'
import { demoAccountId, demoTransferId, insertDemoLedger } from './demo.ts'
import { registerLedgerJobs } from './jobs.ts'
import { ledgerRoutes } from './routes.ts'
import { registerLedgerTenancy } from './service/accounts.ts'

export const ledger: Domain = {
  name: 'billing/ledger',
  tag: { name: 'ledger', description: 'Double-entry accounts, and transfers between them.' },
  scopes: {
    'ledger:read': 'Read accounts, their entries and transfers.',
    'ledger:write': 'Create accounts, and make and reverse transfers.',
  },
  demo: { ids: { accounts: demoAccountId, transfers: demoTransferId }, insert: insertDemoLedger },
  async register(app) {
    registerLedgerTenancy(app)
    registerLedgerJobs(app)
    await app.register(ledgerRoutes)
  },
}
