import { setTimeout as sleep } from 'node:timers/promises'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { findEpochState } from '../events/epoch.ts'
import { everyone } from '../lib/access.ts'
import { problems, requestErrors } from '../lib/errors.ts'
import { StringEnum } from '../lib/schema.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Makes readiness fail from now on, so that the load balancer sends no more; requests are still answered. */
    stopReadiness(): void
  }
}

/**
 * How long clients get to close their connections after a response with `Connection: close`, before idle ones are
 * closed.
 */
const FAREWELL_MS = 500
/** How long requests in flight get after the close begins; then they are cut off. */
const LAST_MS = 10_000

const Health = Type.Object(
  { status: StringEnum(['ok'], { description: 'There is no other: what is not well answers 503.' }) },
  { title: 'Health', description: 'All is well.' },
)

const NO_EPOCH = 'the event log has no epoch of this database server yet'

/**
 * Liveness tells whether the process answers. Readiness tells whether it should get traffic: it reaches its database,
 * can write events there, and is not draining.
 */
async function health(app: FastifyInstance) {
  let draining = false
  app.decorate('stopReadiness', () => {
    draining = true
  })
  sayFarewell(app)

  const config = { access: everyone }
  const schema = (operationId: string, summary: string, ...statuses: number[]) => ({
    operationId,
    summary,
    tags: ['health'],
    response: { 200: Health, ...problems(...statuses) },
  })

  app.get('/health/live', { config, schema: schema('getLiveness', 'Whether the process answers') }, async () => ({
    status: 'ok',
  }))
  app.get(
    '/health/ready',
    { config, schema: schema('getReadiness', 'Whether to send traffic here', 503) },
    async () => {
      if (draining) throw requestErrors.overloaded({ detail: 'shutting down' })
      if (!(await findEpochState(app.database, {}))?.isCurrent)
        throw requestErrors.database_unavailable({ detail: NO_EPOCH })
      return { status: 'ok' }
    },
  )
}

/**
 * During shutdown every response says `Connection: close`. After Node has closed it enforces no timeouts, so a timer
 * closes what is left.
 */
function sayFarewell(app: FastifyInstance): void {
  app.addHook('preClose', async () => {
    if (!app.server.listening) return
    await sleep(FAREWELL_MS)
    // Connections opened in advance by browsers and load balancers: Node does not count them as idle.
    for (const socket of app.connections) if (socket.bytesRead === 0) socket.destroy()
    setTimeout(() => app.server.closeAllConnections(), LAST_MS).unref()
  })
}

export const healthPlugin = fp(health, { name: 'health', dependencies: ['database', 'connections'] })
