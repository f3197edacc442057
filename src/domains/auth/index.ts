import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config.ts'
import { registerAuthJobs } from './jobs.ts'
import { authRoutes } from './routes.ts'

export async function auth(app: FastifyInstance, config: Config) {
  await app.register(authRoutes, { secret: config.jwtSecret, unverifiedLogin: config.unverifiedLogin })
  registerAuthJobs(app, config)
}
