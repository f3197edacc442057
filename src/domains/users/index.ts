import type { FastifyInstance } from 'fastify'
import { userRoutes } from './routes.ts'

export async function users(app: FastifyInstance) {
  await app.register(userRoutes)
}
