import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { ListOf } from '../lib/schema.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The versions of `If-Match`; null without the header, or for `*`, which any version satisfies. */
    readonly ifMatch: number[] | null
  }
  interface FastifyContextConfig {
    /** `no-store`: the answer holds a token, a key or money. `public`: it is the same for everybody. */
    cache?: 'no-store' | 'public, max-age=300'
  }
}

/** As we write it; `"03"` is another tag, and longer numbers are no version of anything. */
const VERSION = /^[1-9]\d{0,8}$/
const STRONG_TAG = /(?<!W\/)"([^"]*)"/g
const ANY_TAG = /"([^"]*)"/g

interface Representation {
  version?: number
  meta?: ListOf<unknown>['meta']
}

/** ETag, If-None-Match (RFC 9110 §13.1.2) and Cache-Control for what has a version; `Link` (RFC 8288) for lists. */
async function conditional(app: FastifyInstance) {
  app.decorateRequest('ifMatch', {
    getter() {
      const header = this.headers['if-match']
      return header === undefined || header.trim() === '*'
        ? null
        : tags(header, STRONG_TAG)
            .filter(tag => VERSION.test(tag))
            .map(Number)
    },
  })

  app.addHook('preSerialization', (request, reply, payload: Representation | null, done) => {
    reply.header('cache-control', request.routeOptions.config.cache ?? 'private, no-cache')
    if (payload === null) {
      // Nothing is no body: JSON would be four letters of it.
      reply.removeHeader('content-type').serializer(() => '')
      return done(null, payload)
    }
    if (payload.version !== undefined) {
      const etag = String(payload.version)
      reply.header('etag', `"${etag}"`)
      const known = request.headers['if-none-match']
      if (
        known !== undefined &&
        request.method === 'GET' &&
        (known.trim() === '*' || tags(known, ANY_TAG).includes(etag))
      ) {
        reply.code(304)
        return done(null, '')
      }
    }
    if (payload.meta?.nextCursor != null) reply.header('link', `<${nextUrl(request.url, payload.meta)}>; rel="next"`)
    done(null, payload)
  })
}

const tags = (header: string, form: RegExp): string[] => Array.from(header.matchAll(form), ([, tag]) => tag as string)

const CURSOR = /([?&])cursor=[^&]*/

/** The same query with the next cursor, which is safe in a URL as it is. */
function nextUrl(url: string, { nextCursor }: ListOf<unknown>['meta']): string {
  if (CURSOR.test(url)) return url.replace(CURSOR, `$1cursor=${nextCursor}`)
  return `${url}${url.includes('?') ? '&' : '?'}cursor=${nextCursor}`
}

export const conditionalPlugin = fp(conditional, { name: 'conditional' })
