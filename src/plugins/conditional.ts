import type { FastifyContextConfig, FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { requestErrors } from '../lib/errors.ts'
import type { ListOf } from '../lib/schema.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * The condition of `If-Match` and `If-None-Match` on the version that a write changes, as `versionMatches` takes
     * it: null for none, the versions that pass, or as negative numbers those that do not.
     */
    readonly ifMatch: number[] | null
  }
  interface FastifyContextConfig {
    /** `no-store`: the response contains a token or a key. `public`: it is the same for everybody. */
    cache?: 'no-store' | 'public, max-age=300'
    /** The response contains amounts: no cache stores it, but it is kept for its idempotency key. */
    money?: true
  }
}

/** A version as we write it: `"03"` is another tag, and longer numbers are no version. */
const VERSION = /^[1-9]\d{0,8}$/
const STRONG_TAG = /(?<!W\/)"([^"]*)"/g
const ANY_TAG = /"([^"]*)"/g

/** Returns the `Cache-Control` of the responses of a route. */
export const cacheControlOf = ({ cache, money }: FastifyContextConfig): string =>
  cache ?? (money ? 'no-store' : 'private, no-cache')

interface Representation {
  version?: number
  meta?: ListOf<unknown>['meta']
}

/**
 * Handles ETag, preconditions (RFC 9110 §13) and Cache-Control for resources with a version, and `Link` (RFC 8288) for
 * lists.
 */
async function conditional(app: FastifyInstance) {
  app.decorateRequest('ifMatch', {
    getter() {
      return conditionOf(this.headers)
    },
  })

  app.addHook('preSerialization', (request, reply, payload: Representation | null, done) => {
    reply.header('cache-control', cacheControlOf(request.routeOptions.config))
    if (payload === null) {
      // Send no body: as JSON it would be the four letters `null`.
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
          // Send no bytes at all: a Content-Length would have to be that of the 200 (RFC 9110 §8.6).
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

/** Returns the versions in a header; null for `*`. Tags that we never issue match nothing. */
const versionsIn = (header: string, form: RegExp): Tags =>
  header.trim() === '*'
    ? null
    : Array.from(header.matchAll(form), ([, tag]) => tag as string)
        .filter(tag => VERSION.test(tag))
        .map(Number)

/** Uses the strong comparison (RFC 9110 §13.1.1): a weak tag never matches. */
const matched = (ifMatch: string): Tags => versionsIn(ifMatch, STRONG_TAG)
/** Uses the weak comparison (RFC 9110 §13.1.2). */
const excluded = (ifNoneMatch: string): Tags => versionsIn(ifNoneMatch, ANY_TAG)

/** Combines both headers of a write into one condition. The resource exists, so `If-None-Match: *` always fails. */
function conditionOf({ 'if-match': ifMatch, 'if-none-match': ifNoneMatch }: FastifyRequest['headers']): Tags {
  const wanted = ifMatch === undefined ? null : matched(ifMatch)
  if (ifNoneMatch === undefined) return wanted
  const unwanted = excluded(ifNoneMatch)
  if (unwanted === null) return []
  if (wanted !== null) return wanted.filter(version => !unwanted.includes(version))
  return unwanted.length > 0 ? unwanted.map(version => -version) : null
}

const CURSOR = /([?&])cursor=[^&]*/

/** Returns the URL of the same query with the next cursor, which needs no escaping in a URL. */
function nextUrl(url: string, { nextCursor }: ListOf<unknown>['meta']): string {
  if (CURSOR.test(url)) return url.replace(CURSOR, `$1cursor=${nextCursor}`)
  return `${url}${url.includes('?') ? '&' : '?'}cursor=${nextCursor}`
}

export const conditionalPlugin = fp(conditional, { name: 'conditional' })
