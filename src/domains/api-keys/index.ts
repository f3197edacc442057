import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config.ts'
import { apiKeyRoutes } from './routes.ts'
import { LastUses } from './service/last-uses.ts'
import { keyFinder } from './service/look-up.ts'

export async function apiKeys(app: FastifyInstance, { production }: Config) {
  const uses = new LastUses(app.database, app.log)
  app.findKey.by = keyFinder(app.database, uses)
  app.addHook('onClose', () => uses.close())
  await app.register(apiKeyRoutes, { mode: production ? 'live' : 'test' })
}
