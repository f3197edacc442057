import rateLimit, { type CreateRateLimitOptions, normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { requestErrors } from '../lib/errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Small limits of a sensitive route, by address and by the account named in the body. */
    sensitive?: boolean
  }
}

const WINDOW_MS = 60_000
/** Counters kept per limiter; past it the least recently seen are forgotten. */
const TRACKED = 50_000
/** Guesses at one account per minute, whoever makes them. */
const PER_ACCOUNT = 10
/** Sensitive calls from one address per minute: an office behind one address still signs in. */
const SENSITIVE_PER_ADDRESS = 60

type Limiter = ReturnType<FastifyInstance['createRateLimit']>

async function rateLimits(app: FastifyInstance, { perMinute, sensitive }: { perMinute: number; sensitive?: number }) {
  await app.register(rateLimit, { global: false, cache: TRACKED })
  const limiter = (max: number, keyGenerator: CreateRateLimitOptions['keyGenerator']) =>
    app.createRateLimit({ max, timeWindow: WINDOW_MS, keyGenerator: keyGenerator as () => string })

  const byAddress = limiter(perMinute, addressOf)
  const byPrincipal = limiter(perMinute, ({ actor }) => actor?.id ?? '')
  const sensitiveByAddress = limiter(sensitive ?? SENSITIVE_PER_ADDRESS, addressOf)
  const sensitiveByAccount = limiter(sensitive ?? PER_ACCOUNT, accountOf)

  app.addHook('onRequest', (request, reply, done) => {
    // A balancer asks from the address of everybody behind it.
    if (request.url.startsWith('/health/')) done()
    else enforce(byAddress, 'default', request, reply, done)
  })
  app.addHook('preHandler', (request, reply, done) => {
    if (request.actor) enforce(byPrincipal, 'default', request, reply, done)
    else done()
  })
  app.addHook('onRoute', route => {
    if (!route.config?.sensitive) return
    const limit = (limiter: Limiter) => (request: FastifyRequest, reply: FastifyReply, done: Done) =>
      enforce(limiter, 'sensitive', request, reply, done)
    route.preHandler = [limit(sensitiveByAddress), limit(sensitiveByAccount), ...[route.preHandler ?? []].flat()]
  })
}

type Done = (error?: Error) => void

function enforce(limiter: Limiter, policy: string, request: FastifyRequest, reply: FastifyReply, done: Done): void {
  limiter(request).then(result => {
    if (result.isAllowed || !result.isExceeded) return done()
    const seconds = Math.max(1, result.ttlInSeconds)
    reply.headers({
      'retry-after': seconds,
      'ratelimit-policy': `"${policy}";q=${result.max};w=${WINDOW_MS / 1000}`,
      ratelimit: `"${policy}";r=0;t=${seconds}`,
      'x-ratelimit-limit': result.max,
      'x-ratelimit-remaining': 0,
      'x-ratelimit-reset': seconds,
    })
    done(requestErrors.rate_limited())
  }, done)
}

/** IPv6 by /64: one customer holds the whole prefix. */
const addressOf = ({ ip }: FastifyRequest): string => (ip.includes(':') ? normalizeIP(ip) : ip)

function accountOf({ body, ip }: FastifyRequest): string {
  const { email } = (body ?? {}) as { email?: unknown }
  return typeof email === 'string' ? email.toLowerCase() : ip
}

export const rateLimitPlugin = fp(rateLimits, { name: 'rate-limit', dependencies: ['errors'] })
