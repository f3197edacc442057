import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config.ts'
import { registerAuthJobs } from './jobs.ts'
import { registrationRoutes } from './routes/registration.ts'
import { sessionRoutes } from './routes/sessions.ts'

export async function auth(app: FastifyInstance, config: Config) {
  await app.register(registrationRoutes)
  await app.register(sessionRoutes, { secret: config.jwtSecret, unverifiedLogin: config.unverifiedLogin })
  registerAuthJobs(app, config)
}
