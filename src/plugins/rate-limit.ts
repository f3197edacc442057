import { createRequire } from 'node:module'
import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type AppError, requestErrors } from '../lib/errors.ts'

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
     * Counts a mail to `email` that anybody can cause, whether or not the address has an account. Throws `rate_limited`
     * after a few in an hour.
     */
    limitMails(email: string): void
  }
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** The most counters kept in each limiter; then the least recently used are dropped. */
const TRACKED = 50_000
/** Attempts on one account per minute, from all clients together. */
const PER_ACCOUNT = 10
/** Sensitive calls from one address per minute; enough for an office behind one address. */
const SENSITIVE_PER_ADDRESS = 60
/** Mails to one address per hour, from all clients together, so that nobody can fill a mailbox. */
const MAILS_PER_HOUR = 5

interface Count {
  current: number
  /** Milliseconds left in the window. */
  ttl: number
}
/** The library's in-memory store: an LRU of fixed windows, which calls back synchronously. */
interface Store {
  incr(key: string, answer: (error: null, count: Count) => void, windowMs: number, max: number): void
}
const require = createRequire(import.meta.url)
const LocalStore: new (continueExceeding: boolean, exponentialBackoff: boolean, tracked: number) => Store =
  require('@fastify/rate-limit/store/LocalStore.js')

interface Limit {
  policy: string
  /** Requests in one window. */
  max: number
  windowMs: number
}

/**
 * Returns a counter on the library's store. The library's own handler makes four promises for each limiter and request,
 * 8 % of a read by id; its store needs none.
 */
function counter(): (key: string, limit: Limit) => Count {
  const store = new LocalStore(false, false, TRACKED)
  let count: Count
  const take = (_: null, counted: Count) => {
    count = counted
  }
  return (key, { max, windowMs }) => {
    store.incr(key, take, windowMs, max)
    return count
  }
}

interface Limiter {
  limitOf(request: FastifyRequest): Limit
  /** Returns undefined when there is nobody to limit. */
  keyOf(request: FastifyRequest): string | undefined
  count: ReturnType<typeof counter>
}
const limiter = (limitOf: Limiter['limitOf'], keyOf: Limiter['keyOf']): Limiter => ({
  limitOf,
  keyOf,
  count: counter(),
})

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
  const byAddress = limiter(always('default', perMinute), addressOf)
  const byPrincipal = limiter(ofPrincipal(perMinute), ({ actor }) => actor?.id)
  const sensitiveByAddress = limiter(always('sensitive', SENSITIVE_PER_ADDRESS), addressOf)
  const sensitiveByAccount = limiter(always('sensitive', PER_ACCOUNT), accountOf)

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
  const countMail = counter()
  app.decorate('limitMails', (email: string) => {
    const count = countMail(email.toLowerCase(), mails)
    if (count.current > mails.max) throw refusal(mails, count)
  })
}

type Done = (error?: Error) => void

function enforce({ limitOf, keyOf, count }: Limiter, request: FastifyRequest, done: Done): void {
  const key = keyOf(request)
  if (key === undefined) {
    done()
    return
  }
  const limit = limitOf(request)
  const counted = count(key, limit)
  if (counted.current > limit.max) done(refusal(limit, counted))
  else done()
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

export const rateLimitPlugin = fp(rateLimits, { name: 'rate-limit', dependencies: ['errors', 'address'] })
