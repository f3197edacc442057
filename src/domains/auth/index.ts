import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config.ts'
import type { Domain } from '../../plugins/domains.ts'
import { demoIdentityId, demoSessionId, insertDemoSignIns } from './demo.ts'
import { registerAuthJobs } from './jobs.ts'
import { accountRoutes } from './routes/accounts.ts'
import { deletionRoutes } from './routes/deletion.ts'
import { emailRoutes } from './routes/email.ts'
import { googleRoutes } from './routes/google.ts'
import { identityRoutes } from './routes/identities.ts'
import { pageRoutes } from './routes/pages.ts'
import { passwordRoutes } from './routes/passwords.ts'
import { registrationRoutes } from './routes/registration.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { walletRoutes } from './routes/wallet.ts'
import { refuseLastAdmin } from './service/accounts.ts'
import { followRevocations } from './service/revocation.ts'
import { Sessions } from './service/sessions.ts'

async function register(app: FastifyInstance, config: Config) {
  const sessions = new Sessions(app, { secrets: config.jwtSecrets, unverifiedLogin: config.unverifiedLogin })
  for (const routes of [registrationRoutes, passwordRoutes, emailRoutes, deletionRoutes]) await app.register(routes)
  await app.register(sessionRoutes, { sessions })
  await app.register(googleRoutes, { ...config, sessions, client: config.google })
  await app.register(walletRoutes, { sessions, appUrl: config.appUrl })
  for (const routes of [identityRoutes, accountRoutes, pageRoutes]) await app.register(routes)
  app.accounts.beforeDeletion(refuseLastAdmin)
  followRevocations(app)
  registerAuthJobs(app, config)
}

export const auth: Domain = {
  name: 'auth',
  tag: {
    name: 'auth',
    description: 'Signing in and out, sessions, passwords, addresses, linked identities and accounts.',
  },
  demo: { ids: { sessions: demoSessionId, identities: demoIdentityId }, insert: insertDemoSignIns },
  register,
}
