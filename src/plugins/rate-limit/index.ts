import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Gauge } from 'prom-client'
import { type AppError, requestErrors } from '../../lib/errors.ts'
import { type Count, type Counter, type Counters, type Limit, localCounters, SharedCounters } from './counters.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Adds the lower limits of a sensitive route, by address and by account (that of the caller or of the email in the
     * body); `address`: by address only.
     */
    sensitive?: boolean | 'address'
  }
  interface FastifyInstance {
    /**
     * Counts a mail to `email` that anybody can cause, whether or not the address has an account. Rejects with
     * `rate_limited` after a few in an hour.
     */
    limitMails(email: string): Promise<void>
  }
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** Attempts on one account per minute, from all clients together. */
const PER_ACCOUNT = 10
/** Sensitive calls from one address per minute; enough for an office behind one address. */
const SENSITIVE_PER_ADDRESS = 60
/** Mails to one address per hour, from all clients together, so that nobody can fill a mailbox. */
const MAILS_PER_HOUR = 5

interface Limiter {
  limitOf(request: FastifyRequest): Limit
  /** Returns undefined when there is nobody to limit. */
  keyOf(request: FastifyRequest): string | undefined
  count: Counter
}

const always = (policy: string, max: number): Limiter['limitOf'] => {
  const limit = { policy, max, windowMs: MINUTE_MS }
  return () => limit
}

/** An API key may have its own limit. Its organization sets it, so it can only lower the general limit. */
const ofPrincipal = (perMinute: number): Limiter['limitOf'] => {
  const standard = always('default', perMinute)
  return request => {
    const own = request.actor?.type === 'api_key' ? request.actor.rateLimit : null
    const isLower = own !== null && own < perMinute
    return isLower ? { policy: 'api-key', max: own, windowMs: MINUTE_MS } : standard(request)
  }
}

async function rateLimits(app: FastifyInstance, { perMinute }: { perMinute: number }) {
  const counters = countersOf(app)
  const limiter = (name: string, limitOf: Limiter['limitOf'], keyOf: Limiter['keyOf']): Limiter => ({
    limitOf,
    keyOf,
    count: counters(name),
  })
  const byAddress = limiter('address', always('default', perMinute), addressOf)
  const byPrincipal = limiter('principal', ofPrincipal(perMinute), ({ actor }) => actor?.id)
  const sensitiveByAddress = limiter('sensitive-address', always('sensitive', SENSITIVE_PER_ADDRESS), addressOf)
  const sensitiveByAccount = limiter('sensitive-account', always('sensitive', PER_ACCOUNT), accountOf)

  app.addHook('onRequest', (request, _reply, done) => {
    // Health checks are not limited: a load balancer may share its address with all clients behind it.
    if (request.url.startsWith('/health/')) done()
    else enforce(byAddress, request, done)
  })
  app.addHook('preHandler', (request, _reply, done) => enforce(byPrincipal, request, done))
  app.addHook('onRoute', route => {
    const sensitive = route.config?.sensitive
    if (!sensitive) return
    const limiters = sensitive === 'address' ? [sensitiveByAddress] : [sensitiveByAddress, sensitiveByAccount]
    const limits = limiters.map(
      limiter => (request: FastifyRequest, _reply: FastifyReply, done: Done) => enforce(limiter, request, done),
    )
    route.preHandler = [...limits, ...[route.preHandler ?? []].flat()]
  })

  const mails = { policy: 'mail', max: MAILS_PER_HOUR, windowMs: HOUR_MS }
  const countMail = counters('mail')
  app.decorate(
    'limitMails',
    (email: string) =>
      new Promise<void>((resolve, reject) =>
        countMail(email.toLowerCase(), mails, count => {
          if (count.current > mails.max) reject(refusal(mails, count))
          else resolve()
        }),
      ),
  )
}

/** Counters that all nodes share where there is a Redis, otherwise those of this process. */
function countersOf(app: FastifyInstance): Counters {
  if (!app.redis) return localCounters
  const shared = new SharedCounters(app.redis, app.log)
  app.addHook('onClose', async () => shared.close())
  new Gauge({
    name: 'rate_limits_shared',
    help: 'Whether rate limits are counted in Redis, for all nodes together; 0 while each node counts for itself.',
    registers: [app.metrics],
    collect() {
      this.set(shared.available ? 1 : 0)
    },
  })
  return shared.of
}

type Done = (error?: Error) => void

function enforce({ limitOf, keyOf, count }: Limiter, request: FastifyRequest, done: Done): void {
  const key = keyOf(request)
  if (key === undefined) {
    done()
    return
  }
  const limit = limitOf(request)
  count(key, limit, counted => {
    if (counted.current > limit.max) done(refusal(limit, counted))
    else done()
  })
}

function refusal({ policy, max, windowMs }: Limit, { ttl }: Count): AppError {
  const seconds = String(Math.max(1, Math.ceil(ttl / 1000)))
  const headers = {
    'retry-after': seconds,
    'ratelimit-policy': `"${policy}";q=${max};w=${windowMs / 1000}`,
    ratelimit: `"${policy}";r=0;t=${seconds}`,
    'x-ratelimit-limit': String(max),
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset': seconds,
  }
  return requestErrors.rate_limited({ headers })
}

/** IPv6 addresses are counted by /64, because one customer usually has the whole prefix. */
const addressOf = ({ address }: FastifyRequest): string => (address.includes(':') ? normalizeIP(address) : address)

const accountOf = ({ actor, body }: FastifyRequest): string | undefined => {
  const { email } = (body ?? {}) as { email?: unknown }
  return actor?.id ?? (typeof email === 'string' ? email.toLowerCase() : undefined)
}

export const rateLimitPlugin = fp(rateLimits, {
  name: 'rate-limit',
  dependencies: ['errors', 'address', 'observability', 'redis'],
})
