import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { requestErrors } from '../lib/errors.ts'
import type { ListOf } from '../lib/schema.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * What `If-Match` and `If-None-Match` ask of the version that a write changes, as `versionMatches` takes it: null for
     * nothing, the versions that pass, or those that do not as negative numbers.
     */
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

/** ETag, preconditions (RFC 9110 §13) and Cache-Control for what has a version; `Link` (RFC 8288) for lists. */
async function conditional(app: FastifyInstance) {
  app.decorateRequest('ifMatch', {
    getter() {
      return conditionOf(this.headers)
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
      const { version } = payload
      reply.header('etag', `"${version}"`)
      const { 'if-match': wanted, 'if-none-match': known } = request.headers
      if ((wanted !== undefined || known !== undefined) && (request.method === 'GET' || request.method === 'HEAD')) {
        if (wanted !== undefined && matched(wanted)?.includes(version) === false)
          return done(requestErrors.precondition_failed())
        if (known !== undefined && excluded(known)?.includes(version) !== false) {
          // No bytes at all: a length would have to be that of the 200 (RFC 9110 §8.6).
          reply
            .code(304)
            .removeHeader('content-type')
            .serializer((() => null) as never)
          return done(null, {})
        }
      }
    }
    if (payload.meta?.nextCursor != null) reply.header('link', `<${nextUrl(request.url, payload.meta)}>; rel="next"`)
    done(null, payload)
  })
}

type Tags = number[] | null

/** The versions that a header names; null for `*`. Tags that are none of ours match nothing. */
const versionsIn = (header: string, form: RegExp): Tags =>
  header.trim() === '*'
    ? null
    : Array.from(header.matchAll(form), ([, tag]) => tag as string)
        .filter(tag => VERSION.test(tag))
        .map(Number)

/** By the strong comparison (RFC 9110 §13.1.1): a weak tag is never the same. */
const matched = (ifMatch: string): Tags => versionsIn(ifMatch, STRONG_TAG)
/** By the weak one (§13.1.2). */
const excluded = (ifNoneMatch: string): Tags => versionsIn(ifNoneMatch, ANY_TAG)

/** Both headers of a request that writes, as one condition. Its resource is there, so `If-None-Match: *` lets nothing pass. */
function conditionOf({ 'if-match': ifMatch, 'if-none-match': ifNoneMatch }: FastifyRequest['headers']): Tags {
  const wanted = ifMatch === undefined ? null : matched(ifMatch)
  if (ifNoneMatch === undefined) return wanted
  const unwanted = excluded(ifNoneMatch)
  if (unwanted === null) return []
  if (wanted !== null) return wanted.filter(version => !unwanted.includes(version))
  return unwanted.length > 0 ? unwanted.map(version => -version) : null
}

const CURSOR = /([?&])cursor=[^&]*/

/** The same query with the next cursor, which is safe in a URL as it is. */
function nextUrl(url: string, { nextCursor }: ListOf<unknown>['meta']): string {
  if (CURSOR.test(url)) return url.replace(CURSOR, `$1cursor=${nextCursor}`)
  return `${url}${url.includes('?') ? '&' : '?'}cursor=${nextCursor}`
}

export const conditionalPlugin = fp(conditional, { name: 'conditional' })
