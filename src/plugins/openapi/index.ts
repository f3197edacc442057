import { readFileSync } from 'node:fs'
import swagger, { type SwaggerTransform } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifySchema } from 'fastify'
import fp from 'fastify-plugin'
import { eventTypes } from '../../events/registry.ts'
import { everyone } from '../../lib/access.ts'
import { complete } from './document.ts'
import { errorPages } from './errors.ts'
import type { Document } from './operation.ts'

const DESCRIPTION = `One way for every route.

- **Credentials**: \`Authorization: Bearer\` with an access token or an API key; a key also as \`X-Api-Key\`. Each operation says which it takes.
- **Lists** are \`{ data, meta }\`, page by page with opaque cursors.
- **Failures** are \`application/problem+json\` (RFC 9457) with a stable \`code\`, each explained at [/docs/errors](/docs/errors).
- **Repeating**: every POST with credentials takes an \`Idempotency-Key\`.
- **Versions**: every resource has an \`ETag\`; \`If-Match\` and \`If-None-Match\` hold on every method, actions included (RFC 9110 §13).
- **Replicas**: where they are used, a change is answered with \`Write-Position\`; a read that sends this header back sees the change, and spares the primary. Without it a caller's own changes are seen too.
- **Values**: ids are UUIDs, in lower case; times are UTC in ISO 8601 with milliseconds and \`Z\`; text is composed (NFC). Another case, another offset of RFC 3339 and text in parts are taken and put in that form. A field that may be \`null\` says what that means.`

/** The version of the package. */
export const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))

/** The bundled page needs its own scripts and styles, and nothing from other hosts. */
const DOCS_CSP = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"

/** Adds the route's rules to the document, beside its schemas. */
const withRules: SwaggerTransform<FastifySchema> = ({ schema, url, route }) => {
  const { access, cache, idempotency, sensitive } = route.config ?? {}
  const { checkedBy: _, ...published } = { checkedBy: undefined, ...access }
  const rules = { 'x-access': published, 'x-cache': cache, 'x-idempotency': idempotency, 'x-sensitive': sensitive }
  return { schema: { ...schema, ...rules } as FastifySchema, url }
}

/**
 * Must be registered before the access rules, so that the routes of the bundled page, which cannot declare a rule, are
 * public.
 */
async function openapi(app: FastifyInstance, { publicUrl }: { publicUrl: string }) {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Lintel',
        version,
        description: DESCRIPTION,
        contact: { name: 'Lintel', url: publicUrl },
        license: { name: 'MIT License', identifier: 'MIT' },
      },
      servers: [{ url: publicUrl }],
      components: {
        securitySchemes: {
          accessToken: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'From `POST /api/v1/auth/login`; lives 15 minutes.',
          },
          apiKey: {
            type: 'apiKey',
            in: 'header',
            name: 'X-Api-Key',
            description: '`ltl_…`; also taken as a bearer token.',
          },
        },
      },
    },
    transform: withRules,
  })
  let document: Document | undefined
  const read = () => {
    document ??= complete(app.swagger() as unknown as Document, { publicUrl, events: eventTypes, domains: app.domains })
    return document
  }
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: DOCS_CSP,
    transformSpecification: () => read(),
    transformSpecificationClone: false,
    theme: { title: 'Lintel API', css: [{ filename: 'lintel.css', content: '.swagger-ui .topbar { display: none }' }] },
    uiConfig: {
      docExpansion: 'none',
      defaultModelsExpandDepth: 0,
      tryItOutEnabled: true,
      displayRequestDuration: true,
      persistAuthorization: true,
    },
  })
  app.decorate('openapi', read)

  app.get('/openapi.json', { config: { access: everyone }, schema: { hide: true } }, async () => read())
  await app.register(errorPages)
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The OpenAPI 3.1 document of all routes. */
    openapi(): Document
  }
}

export const openapiPlugin = fp(openapi, { name: 'openapi', dependencies: ['security', 'rate-limit'] })
