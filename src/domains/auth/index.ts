import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config.ts'
import { registerAuthJobs } from './jobs.ts'
import { registrationRoutes } from './routes/registration.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { Sessions } from './service/sessions.ts'

export async function auth(app: FastifyInstance, config: Config) {
  const sessions = new Sessions(app, { secret: config.jwtSecret, unverifiedLogin: config.unverifiedLogin })
  await app.register(registrationRoutes)
  await app.register(sessionRoutes, { sessions })
  registerAuthJobs(app, config)
}
