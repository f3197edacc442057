import type { FastifyInstance } from 'fastify'
import { standings } from '../organizations/queries/access.ts'
import { projectRoutes } from './routes.ts'
import { projects as table } from './tables.ts'

export async function projects(app: FastifyInstance) {
  app.tenancy.define('project', standings(app.database, table, 'organization_id'))
  await app.register(projectRoutes)
}
