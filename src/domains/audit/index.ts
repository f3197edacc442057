import type { FastifyInstance } from 'fastify'
import { auditRoutes } from './routes.ts'

/** Writes nothing: every domain records its own events; this one reads them. */
export async function audit(app: FastifyInstance) {
  await app.register(auditRoutes)
}
