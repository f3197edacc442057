import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { Counter, Gauge } from 'prom-client'
import type { Executor } from '../../database/executor.ts'
import { recentWriters } from '../../events/written.ts'
import { AppError } from '../../lib/errors.ts'
import { Replicas } from './servers.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A replica may answer, where its rows come from `request.reads`. Access is decided by the primary in any case. */
    mayLag?: true
  }
  interface FastifyRequest {
    /** The replica that this request reads from; null for the primary. */
    replica: Executor | null
    /** Where a route that may lag reads its rows. */
    readonly reads: Executor
  }
}

interface ReplicaOptions {
  urls: string[]
  /** The most that a replica may lag (ms) to be asked. */
  lagMs: number
  fastPath: boolean
}

/**
 * How long a caller who has changed something reads from the primary: the limit of a handler, since the time of a change
 * is that of its beginning, and more than a replica may lag.
 */
const WRITER_SECONDS = 15
/** A replica that does not answer in this time is not waited for. */
const PATIENCE_MS = 300
const POSITION = /^[0-9a-z]{1,11}$/
const BASE = 36

const positionOf = (header: string | string[]): number =>
  typeof header === 'string' && POSITION.test(header) ? Number.parseInt(header, BASE) : Number.POSITIVE_INFINITY

/**
 * Lets routes that may lag read from replicas. Who has changed something sees it at once: each change is answered with
 * `Write-Position`, and only a replica that has repeated it answers a read that sends it back; without it a caller reads
 * from the primary for some seconds after a change, on any process.
 */
async function replicas(app: FastifyInstance, { urls, lagMs, fastPath }: ReplicaOptions) {
  const { database, log, metrics, tracing } = app
  app.decorateRequest('replica', null)
  app.decorateRequest('reads', {
    getter() {
      return this.replica ?? database
    },
  })
  if (urls.length === 0) return

  const servers = new Replicas(database, { urls, lagMs, fastPath, log, tracing })
  const hasWritten = recentWriters(database, WRITER_SECONDS)
  const reads = countReads(metrics, servers)
  app.addHook('onReady', async () => servers.open())
  app.addHook('onClose', () => servers.close())

  app.addHook('onRoute', (route: RouteOptions) => {
    const { config, handler } = route
    if (!config?.mayLag) return
    if (config.access?.kind !== 'organization') throw new Error(`${route.url} may not lag: its rows decide access`)
    route.preValidation = [choose, ...[route.preValidation ?? []].flat()]
    route.handler = function (this: FastifyInstance, request, reply) {
      return request.replica ? tried(this, request, reply) : handler.call(this, request, reply)
    }
    /** What a replica does not have, or not in time, the primary is asked for. */
    async function tried(instance: FastifyInstance, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
      const answer = await Promise.race([
        Promise.resolve(handler.call(instance, request, reply)).catch((error: Error) => error),
        sleep(PATIENCE_MS, LATE, { ref: false }),
      ])
      if (!isLacking(answer)) {
        reads.inc({ outcome: 'answered' })
        if (answer instanceof Error) throw answer
        return answer
      }
      reads.inc({ outcome: 'lacking' })
      request.replica = null
      return handler.call(instance, request, reply)
    }
  })

  async function choose(request: FastifyRequest): Promise<void> {
    const { 'write-position': header } = request.headers
    const replica = servers.choose(header === undefined ? 0 : positionOf(header))
    if (replica && (header !== undefined || !(await hasWritten(request.actor?.id as string)))) request.replica = replica
  }

  app.addHook('onSend', ({ method, actor }, reply, _payload, done) => {
    if (method === 'GET' || method === 'HEAD' || actor === null || reply.statusCode >= 400) return done()
    const tell = (position: number) => void reply.header('write-position', position.toString(BASE))
    // The change is made, whether its position is known or not.
    servers
      .position()
      .then(tell, () => {})
      .then(() => done(), done)
  })
}

const LATE = Symbol('late')

const isLacking = (answer: unknown): boolean =>
  answer === LATE || (answer instanceof AppError && (answer.status === 404 || answer.status === 503))

function countReads(registry: FastifyInstance['metrics'], servers: Replicas) {
  new Gauge({
    name: 'database_replicas_usable',
    help: 'Replicas that are connected and lag no more than they may.',
    registers: [registry],
    collect() {
      this.set(servers.usable)
    },
  })
  return new Counter({
    name: 'database_replica_reads_total',
    help: 'Reads that a replica was asked for; what it lacked, the primary answered.',
    labelNames: ['outcome'],
    registers: [registry],
  })
}

export const replicasPlugin = fp(replicas, { name: 'replicas', dependencies: ['database', 'observability', 'auth'] })
