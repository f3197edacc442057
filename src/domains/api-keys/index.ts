import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config.ts'
import { tenantTable } from '../organizations/queries/tenant-tables.ts'
import { apiKeyRoutes } from './routes.ts'
import { LastUses } from './service/last-uses.ts'
import { keyFinder } from './service/look-up.ts'
import { apiKeys as table } from './tables.ts'

export async function apiKeys(app: FastifyInstance, { production }: Config) {
  const uses = new LastUses(app.database.writes, app.log)
  app.findKey.by = keyFinder(app.database, uses)
  app.addHook('onClose', () => uses.close())
  app.tenancy.own(tenantTable(table, { grantsAccess: true }))
  await app.register(apiKeyRoutes, { mode: production ? 'live' : 'test' })
}
