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
    /** From now on not ready, so that a balancer sends no more; requests are still answered. */
    stopReadiness(): void
  }
}

/** Clients in the middle of their work leave in this time, where a closed connection would meet their next request. */
const FAREWELL_MS = 500
/** For requests that are on their way when the close begins; what has not arrived by then is cut off. */
const LAST_MS = 10_000

const Health = Type.Object(
  { status: StringEnum(['ok'], { description: 'There is no other: what is not well answers 503.' }) },
  { title: 'Health', description: 'All is well.' },
)

const NO_EPOCH = 'the event log has no epoch of this database server yet'

/** Live says the process answers; ready says it should get traffic: it reaches its database, can write there, and is not draining. */
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

/** From the begin of the close every answer says `Connection: close`; once Node closes, it times nobody out any more. */
function sayFarewell(app: FastifyInstance): void {
  app.addHook('preClose', async () => {
    if (!app.server.listening) return
    await sleep(FAREWELL_MS)
    // Opened ahead by browsers and balancers; Node does not count them as idle.
    for (const socket of app.connections) if (socket.bytesRead === 0) socket.destroy()
    setTimeout(() => app.server.closeAllConnections(), LAST_MS).unref()
  })
}

export const healthPlugin = fp(health, { name: 'health', dependencies: ['database', 'connections'] })
