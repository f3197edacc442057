import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Database } from '../database/client.ts'

declare module 'fastify' {
  interface FastifyInstance {
    database: Database
  }
}

async function database(app: FastifyInstance, options: { url: string; pool: number }) {
  const connections = new Database({ ...options, log: app.log })
  // Registered first, so closed last: everything else may still need it.
  app.addHook('onClose', () => connections.close())
  await connections.open()
  app.decorate('database', connections)
  app.addHook('onReady', async () => connections.listener.open())
}

export const databasePlugin = fp(database, { name: 'database' })
