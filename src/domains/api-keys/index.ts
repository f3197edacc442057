import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config.ts'
import { apiKeyRoutes } from './routes.ts'
import { keyFinder } from './service.ts'

export async function apiKeys(app: FastifyInstance, { production }: Config) {
  app.findKey.by = keyFinder(app.database)
  await app.register(apiKeyRoutes, { mode: production ? 'live' : 'test' })
}
