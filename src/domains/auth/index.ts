import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config.ts'
import { registerAuthJobs } from './jobs.ts'
import { accountRoutes } from './routes/accounts.ts'
import { deletionRoutes } from './routes/deletion.ts'
import { emailRoutes } from './routes/email.ts'
import { googleRoutes } from './routes/google.ts'
import { identityRoutes } from './routes/identities.ts'
import { passwordRoutes } from './routes/passwords.ts'
import { registrationRoutes } from './routes/registration.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { walletRoutes } from './routes/wallet.ts'
import { refuseLastAdmin } from './service/accounts.ts'
import { RevocationFeed } from './service/revocation.ts'
import { Sessions } from './service/sessions.ts'

export async function auth(app: FastifyInstance, config: Config) {
  const sessions = new Sessions(app, { secrets: config.jwtSecrets, unverifiedLogin: config.unverifiedLogin })
  await app.register(registrationRoutes)
  await app.register(passwordRoutes)
  await app.register(emailRoutes)
  await app.register(deletionRoutes)
  await app.register(sessionRoutes, { sessions })
  await app.register(googleRoutes, { ...config, sessions, client: config.google })
  await app.register(walletRoutes, { sessions, appUrl: config.appUrl })
  await app.register(identityRoutes)
  await app.register(accountRoutes)
  app.accounts.beforeDeletion(refuseLastAdmin)
  const revocations = new RevocationFeed(app)
  app.addHook('onReady', () => revocations.start())
  app.addHook('onClose', () => revocations.stop())
  registerAuthJobs(app, config)
}
