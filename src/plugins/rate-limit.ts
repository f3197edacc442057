import { createRequire } from 'node:module'
import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { requestErrors } from '../lib/errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Small limits of a sensitive route, by address and by the account that calls or that the body names; `recipient`: by
     * whom the caller has mail sent to, in place of the account.
     */
    sensitive?: boolean | 'recipient'
  }
}

const WINDOW_MS = 60_000
/** Counters kept per limiter; past it the least recently seen are forgotten. */
const TRACKED = 50_000
/** Guesses at one account per minute, whoever makes them; mails to one recipient. */
const PER_ACCOUNT = 10
/** Sensitive calls from one address per minute: an office behind one address still signs in. */
const SENSITIVE_PER_ADDRESS = 60

interface Count {
  current: number
  /** Milliseconds left in the window. */
  ttl: number
}
/** The library's store in memory: an LRU of fixed windows, answering at once. */
interface Store {
  incr(key: string, answer: (error: null, count: Count) => void, windowMs: number, max: number): void
}
const require = createRequire(import.meta.url)
const LocalStore: new (continueExceeding: boolean, exponentialBackoff: boolean, tracked: number) => Store =
  require('@fastify/rate-limit/store/LocalStore.js')

interface Limit {
  policy: string
  /** Requests in a window. */
  max: number
}
type LimitOf = (request: FastifyRequest) => Limit

interface Limiter {
  limitOf: LimitOf
  count(request: FastifyRequest, max: number): Count
}

/** The library's own handler makes four promises for each limiter and request, 8 % of a read by id; its store needs none. */
function limiter(limitOf: LimitOf, keyOf: (request: FastifyRequest) => string): Limiter {
  const store = new LocalStore(false, false, TRACKED)
  let count: Count
  const take = (_: null, counted: Count) => {
    count = counted
  }
  return {
    limitOf,
    count(request, max) {
      store.incr(keyOf(request), take, WINDOW_MS, max)
      return count
    },
  }
}

const always = (policy: string, max: number): LimitOf => {
  const limit = { policy, max }
  return () => limit
}

/** A key may have a limit of its own. Its organization sets it, so it only ever lowers that of every principal. */
const ofPrincipal = (perMinute: number): LimitOf => {
  const standard = always('default', perMinute)
  return request => {
    const own = request.actor?.type === 'api_key' ? request.actor.rateLimit : null
    return own !== null && own < perMinute ? { policy: 'api-key', max: own } : standard(request)
  }
}

async function rateLimits(app: FastifyInstance, { perMinute, sensitive }: { perMinute: number; sensitive?: number }) {
  const byAddress = limiter(always('default', perMinute), addressOf)
  const byPrincipal = limiter(ofPrincipal(perMinute), ({ actor }) => actor?.id ?? '')
  const sensitiveByAddress = limiter(always('sensitive', sensitive ?? SENSITIVE_PER_ADDRESS), addressOf)
  const sensitiveByAccount = limiter(always('sensitive', sensitive ?? PER_ACCOUNT), accountOf)
  const sensitiveByRecipient = limiter(always('sensitive', sensitive ?? PER_ACCOUNT), recipientOf)

  app.addHook('onRequest', (request, reply, done) => {
    // A balancer asks from the address of everybody behind it.
    if (request.url.startsWith('/health/')) done()
    else enforce(byAddress, request, reply, done)
  })
  app.addHook('preHandler', (request, reply, done) => {
    if (request.actor) enforce(byPrincipal, request, reply, done)
    else done()
  })
  app.addHook('onRoute', route => {
    const sensitive = route.config?.sensitive
    if (!sensitive) return
    const limit = (limiter: Limiter) => (request: FastifyRequest, reply: FastifyReply, done: Done) =>
      enforce(limiter, request, reply, done)
    const byAccount = sensitive === 'recipient' ? sensitiveByRecipient : sensitiveByAccount
    route.preHandler = [limit(sensitiveByAddress), limit(byAccount), ...[route.preHandler ?? []].flat()]
  })
}

type Done = (error?: Error) => void

function enforce({ limitOf, count }: Limiter, request: FastifyRequest, reply: FastifyReply, done: Done): void {
  const { policy, max } = limitOf(request)
  const { current, ttl } = count(request, max)
  if (current <= max) {
    done()
    return
  }
  const seconds = Math.max(1, Math.ceil(ttl / 1000))
  reply.headers({
    'retry-after': seconds,
    'ratelimit-policy': `"${policy}";q=${max};w=${WINDOW_MS / 1000}`,
    ratelimit: `"${policy}";r=0;t=${seconds}`,
    'x-ratelimit-limit': max,
    'x-ratelimit-remaining': 0,
    'x-ratelimit-reset': seconds,
  })
  done(requestErrors.rate_limited())
}

/** IPv6 by /64: one customer holds the whole prefix. */
const addressOf = ({ address }: FastifyRequest): string => (address.includes(':') ? normalizeIP(address) : address)

const accountOf = ({ actor, body, address }: FastifyRequest): string => actor?.id ?? emailIn(body) ?? address

/** Whom the body names, or whom what the path names last is for. */
const recipientOf = ({ body, params, address }: FastifyRequest): string =>
  emailIn(body) ?? Object.values(params as Record<string, string>).at(-1) ?? address

function emailIn(body: unknown): string | undefined {
  const { email } = (body ?? {}) as { email?: unknown }
  return typeof email === 'string' ? email.toLowerCase() : undefined
}

export const rateLimitPlugin = fp(rateLimits, { name: 'rate-limit', dependencies: ['errors', 'request'] })
