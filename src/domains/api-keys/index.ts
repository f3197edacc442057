import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config.ts'
import type { Domain } from '../../plugins/domains.ts'
import { demoApiKeyId, insertDemoApiKey } from './demo.ts'
import { apiKeyRoutes } from './routes.ts'
import { LastUses } from './service/last-uses.ts'
import { keyFinder } from './service/look-up.ts'
import { apiKeys as table } from './tables.ts'

async function register(app: FastifyInstance, { production }: Config) {
  const uses = new LastUses(app.database.writes, app.log)
  Object.assign(app.findKey, keyFinder(app.database, uses))
  app.addHook('onClose', () => uses.close())
  await app.register(apiKeyRoutes, { mode: production ? 'live' : 'test' })
}

export const apiKeys: Domain = {
  name: 'api-keys',
  tag: { name: 'api keys', description: 'Credentials of an organization’s own programs.' },
  tenantTables: [{ table, grantsAccess: true }],
  demo: { ids: { 'api-keys': demoApiKeyId }, insert: insertDemoApiKey },
  register,
}
