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

/** The four headers that matter to an API; each header costs on every answer. Pages set the full list for themselves. */
const apiHeaders = (production: boolean) => ({
  contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
  strictTransportSecurity: production ? { maxAge: HSTS_SECONDS } : false,
  xContentTypeOptions: true,
  referrerPolicy: { policy: 'no-referrer' as const },
  crossOriginEmbedderPolicy: false,
  crossOriginOpenerPolicy: false,
  crossOriginResourcePolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
})

/** For the few pages: their own style, nothing from elsewhere. */
export const pageHeaders = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], styleSrc: ["'unsafe-inline'"], frameAncestors: ["'none'"] },
  },
}

/** No `Access-Control` header costs anything where no browser asks. */
async function security(app: FastifyInstance, options: { production: boolean; corsOrigins: string[] }) {
  await app.register(helmet, apiHeaders(options.production))
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
