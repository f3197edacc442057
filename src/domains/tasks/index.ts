import type { FastifyInstance } from 'fastify'
import { standings } from '../organizations/queries/access.ts'
import { belongings } from '../organizations/queries/belongings.ts'
import { taskRoutes } from './routes.ts'
import { tasks as table } from './tables.ts'

export async function tasks(app: FastifyInstance) {
  app.tenancy.define('task', standings(app.database, table, 'organization_id'))
  app.tenancy.own(belongings(table))
  await app.register(taskRoutes)
}
