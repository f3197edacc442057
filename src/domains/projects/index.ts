import type { FastifyInstance } from 'fastify'
import { standings } from '../organizations/queries/access.ts'
import { belongings } from '../organizations/queries/belongings.ts'
import { projectRoutes } from './routes.ts'
import { projects as table } from './tables.ts'

export async function projects(app: FastifyInstance) {
  app.tenancy.define('project', standings(app.database, table, 'organization_id'))
  app.tenancy.own(belongings(table))
  await app.register(projectRoutes)
}
