import type { Domain } from '../../plugins/domains.ts'
import { demoWallet, insertDemoWallet } from './demo.ts'
import { walletRoutes } from './routes.ts'

export const wallets: Domain = {
  name: 'wallets',
  tag: { name: 'wallets', description: 'What the linked wallets of a user hold on a chain.' },
  demo: { ids: { wallets: demoWallet }, insert: insertDemoWallet },
  register: async (app, config) => void (await app.register(walletRoutes, config)),
}
