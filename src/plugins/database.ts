import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Database, type DatabaseOptions } from '../database/client.ts'
import { EpochKeeper } from '../events/epoch.ts'

declare module 'fastify' {
  interface FastifyInstance {
    database: Database
  }
}

async function database(
  app: FastifyInstance,
  options: Pick<DatabaseOptions, 'url' | 'pool' | 'acquireMs' | 'fastPath'>,
) {
  const epoch = new EpochKeeper(app.log)
  const { log, tracing } = app
  const connections = new Database({ ...options, log, tracing, prepare: client => epoch.prepare(client) })
  // This plugin is registered before all that use it, so it closes after them: everything else may still need the database.
  app.addHook('onClose', () => {
    epoch.stop()
    return connections.close()
  })
  await connections.open()
  app.decorate('database', connections)
  app.addHook('onReady', async () => {
    epoch.watch(connections)
    connections.listener.open()
  })
}

export const databasePlugin = fp(database, { name: 'database', dependencies: ['tracing'] })
