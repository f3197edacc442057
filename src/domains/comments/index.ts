import type { FastifyInstance } from 'fastify'
import { standings } from '../organizations/queries/access.ts'
import { belongings } from '../organizations/queries/belongings.ts'
import { commentRoutes } from './routes.ts'
import { comments as table } from './tables.ts'

export async function comments(app: FastifyInstance) {
  app.tenancy.define('comment', standings(app.database, table, 'organization_id'))
  app.tenancy.own(belongings(table))
  await app.register(commentRoutes)
}
