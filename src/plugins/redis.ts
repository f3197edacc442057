import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'

declare module 'fastify' {
  interface FastifyInstance {
    /** Null without `REDIS_URL`. Its commands fail at once while Redis is away, and after the time limit while it is silent. */
    redis: Redis | null
  }
}

const CONNECT_MS = 1_000
const LAST_RETRY_MS = 1_000

interface Options {
  redisUrl: string | null
  /** The time limit of a command. */
  redisTimeoutMs: number
}

async function redis(app: FastifyInstance, { redisUrl, redisTimeoutMs }: Options) {
  if (redisUrl === null) {
    app.decorate('redis', null)
    return
  }
  const { Redis } = await import('ioredis')
  const client = new Redis(redisUrl, {
    commandTimeout: redisTimeoutMs,
    connectTimeout: CONNECT_MS,
    // The defaults keep commands in memory until Redis is back, which would be six seconds for each request.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: attempts => Math.min(attempts * 50, LAST_RETRY_MS),
    connectionName: 'lintel',
    lazyConnect: true,
  })
  // Whoever uses it says that it is away; each attempt to connect raises an error here.
  client.on('error', () => {})
  // A start does not need Redis: when this attempt fails, more follow.
  await client.connect().catch(() => {})
  app.decorate('redis', client)
  app.addHook('onClose', async () => client.disconnect())
}

export const redisPlugin = fp(redis, { name: 'redis' })
