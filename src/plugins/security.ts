import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A page or a document for people and tools, not an answer of the API. */
    page?: boolean
  }
}

const EXPOSED = [
  'ETag',
  'Link',
  'Location',
  'Request-Id',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'Idempotent-Replayed',
  'Deprecation',
  'Sunset',
]
const PREFLIGHT_SECONDS = 600
const HSTS_SECONDS = 63_072_000

/** What matters to an API; each header costs on every answer. Pages have helmet's full list. */
const apiHeaders = (production: boolean): Record<string, string> => ({
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  ...(production ? { 'strict-transport-security': `max-age=${HSTS_SECONDS}; includeSubDomains` } : {}),
})

/** For the scope of a few pages with a style of their own: nothing from elsewhere, and helmet's other headers. */
export const pageSecurity = (scope: FastifyInstance) =>
  scope.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], styleSrc: ["'unsafe-inline'"], frameAncestors: ["'none'"] },
    },
  })

/** No `Access-Control` header costs anything where no browser asks. */
async function security(app: FastifyInstance, options: { production: boolean; corsOrigins: string[] }) {
  const headers = apiHeaders(options.production)
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.routeOptions.config.page) reply.headers(headers)
    done()
  })
  const allowed = new Set(options.corsOrigins)
  await app.register(cors, {
    origin: (origin, done) => done(null, origin !== undefined && allowed.has(origin)),
    exposedHeaders: EXPOSED,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    maxAge: PREFLIGHT_SECONDS,
    strictPreflight: false,
  })
}

export const securityPlugin = fp(security, { name: 'security' })
