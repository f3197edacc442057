import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { STYLE_HASH } from '../lib/html.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Marks a page or a document, which is not a response of the API. */
    page?: boolean
    /** A page of an allowed origin may make the browser store the cookie of this response. */
    credentials?: boolean
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
  'Write-Position',
  'Deprecation',
  'Sunset',
]
const PREFLIGHT_SECONDS = 600
const HSTS_SECONDS = 63_072_000

/** The security headers of API responses; each header costs time on every response. Pages get helmet's full list. */
const apiHeaders = (production: boolean): Record<string, string> => ({
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  ...(production ? { 'strict-transport-security': `max-age=${HSTS_SECONDS}; includeSubDomains` } : {}),
})

interface SecurityOptions {
  production: boolean
  corsOrigins: string[]
}

/** The headers that hooks and the CORS library set, for a response that no hook sees. */
export const headersWithoutHooks = (
  { production, corsOrigins }: SecurityOptions,
  origin: string | undefined,
): Record<string, string> => ({
  ...apiHeaders(production),
  vary: 'Origin',
  ...(origin !== undefined && corsOrigins.includes(origin)
    ? { 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED.join(', ') }
    : {}),
})

/** The policy of a small page: its one style, an icon, forms to this origin, and nothing from other hosts. */
const PAGE_DIRECTIVES = {
  'default-src': ["'none'"],
  'style-src': [`'${STYLE_HASH}'`],
  'img-src': ["'self'"],
  'form-action': ["'self'"],
  'base-uri': ["'none'"],
  'frame-ancestors': ["'none'"],
}
export const PAGE_POLICY = Object.entries(PAGE_DIRECTIVES)
  .map(([directive, sources]) => `${directive} ${sources.join(' ')}`)
  .join('; ')

/** Sets the policy and helmet's other headers for the pages of `scope`. */
export const pageSecurity = (scope: FastifyInstance) =>
  scope.register(helmet, { contentSecurityPolicy: { useDefaults: false, directives: PAGE_DIRECTIVES } })

/** Sets the security headers and CORS. */
async function security(app: FastifyInstance, options: SecurityOptions) {
  const headers = apiHeaders(options.production)
  const allowed = new Set(options.corsOrigins)
  app.addHook('onRequest', (request, reply, done) => {
    const { page, credentials } = request.routeOptions.config
    if (!page) reply.headers(headers)
    if (credentials && allowed.has(request.headers.origin ?? ''))
      reply.header('access-control-allow-credentials', 'true')
    done()
  })
  // A preflight is a request of its own (OPTIONS), so the route needs a second one for it.
  app.addHook('onRoute', function (this: FastifyInstance, { config, method, url, prefix }) {
    if (!config?.credentials || method === 'OPTIONS') return
    this.options(url.slice(prefix.length), { config, schema: { hide: true } }, async () => null)
  })
  await app.register(cors, {
    origin: (origin, done) => done(null, origin !== undefined && allowed.has(origin)),
    exposedHeaders: EXPOSED,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    maxAge: PREFLIGHT_SECONDS,
    strictPreflight: false,
  })
}

export const securityPlugin = fp(security, { name: 'security' })
