import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import fp from 'fastify-plugin'
import type { Transaction } from '../../database/client.ts'
import { equalBytes, hmac, sha256 } from '../../lib/crypto.ts'
import { AppError } from '../../lib/errors.ts'
import { type KeptAnswer, LeftOut } from '../../lib/idempotency.ts'
import { cacheControlOf } from '../conditional.ts'
import { idempotencyErrors } from './errors.ts'
import { findAnswer, insertAnswer, tryLock } from './queries.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `required` for routes that move money. Public routes have no principal, so they ignore the header. */
    idempotency?: 'required'
    /**
     * Answers a POST whose result is not its body, such as a stream. It gets what the handler returned once that is
     * committed, and with a repeated key the same as JSON.
     */
    respond?(request: FastifyRequest, reply: FastifyReply, result: never): unknown
    /**
     * The handler is first run with `request.claim` and without a transaction: it writes its effect and its answer in
     * one statement with those of other requests, or throws `LeftOut`.
     */
    gathers?: true
  }
}

/** The key without quotes, or quoted as a structured-field string (draft-ietf-httpapi-idempotency-key-header). */
const KEY = /^(?:"([\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255}))$/

/**
 * Supports Idempotency-Key on every POST of an authenticated caller. The handler and the record of its response share
 * one transaction: both commit or neither does. A request that fails leaves the key unused.
 */
async function idempotency(app: FastifyInstance) {
  app.addHook('onRoute', route => {
    const { handler, config } = route
    if (route.method !== 'POST' || config?.access?.kind === 'public') return
    route.handler = function (this: FastifyInstance, request, reply) {
      const header = request.headers['idempotency-key']
      if (header !== undefined) return once(app, handler.bind(this), keyOf(header), request, reply)
      if (config?.idempotency === 'required') throw idempotencyErrors.idempotency_key_required()
      const result = handler.call(this, request, reply)
      return config?.respond ? responded(request, reply, result) : result
    }
  })
}

const responded = async (request: FastifyRequest, reply: FastifyReply, result: unknown): Promise<unknown> =>
  request.routeOptions.config.respond?.(request, reply, (await result) as never)

function keyOf(header: string | string[]): string {
  const [, quoted, bare] = (typeof header === 'string' && KEY.exec(header)) || []
  const key = quoted ?? bare
  if (key === undefined) throw idempotencyErrors.idempotency_key_invalid()
  return key
}

/** A JSON replacer that sorts members, because their order has no meaning (RFC 8259 §4). */
const inOrder = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value

/** What a key and its request are stored by. */
type Named = Pick<KeptAnswer, 'id' | 'fingerprint'>

async function once(
  app: FastifyInstance,
  handler: OmitThisParameter<RouteHandlerMethod>,
  key: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const id = sha256(JSON.stringify([request.membership?.organizationId ?? null, request.actor?.id, key]))
  // The HMAC key is the idempotency key, which is not stored, so the body, which may contain a password, cannot be
  // guessed from the row.
  const fingerprint = hmac(Buffer.from(key), JSON.stringify([request.method, request.url, request.body], inOrder))
  const named = { id, fingerprint }
  const answer = request.routeOptions.config.gathers ? await gathered(handler, named, request, reply) : undefined
  if (answer !== undefined) return answer
  const outcome = await app.database
    .transaction(async tx => {
      const lock = await tryLock(tx, { lock: id.readBigInt64BE() })
      // The response may exist without the lock: its holder may only be replaying it.
      const kept = await findAnswer(tx, { id })
      if (!kept && !lock?.locked) throw idempotencyErrors.idempotency_in_progress()
      if (!kept) return { payload: await keep(tx, handler, named, request, reply) }
      if (!equalBytes(kept.fingerprint, fingerprint)) throw idempotencyErrors.idempotency_key_reused()
      return { kept }
    })
    .catch(error => {
      // A row that was rolled back has no URL.
      reply.removeHeader('location')
      throw error
    })
  // The response is sent only after the commit, which could still fail.
  if (outcome.kept) return replay(outcome.kept, request, reply)
  return request.routeOptions.config.respond ? responded(request, reply, outcome.payload) : outcome.payload
}

async function keep(
  tx: Transaction,
  handler: OmitThisParameter<RouteHandlerMethod>,
  named: Named,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  request.transaction = tx
  const payload = (await handler(request, reply)) as { version?: number } | null
  await insertAnswer(tx, answerOf(named, payload, request, reply))
  return payload
}

/** Returns what is kept of an answer whose status and location are set. */
function answerOf(
  named: Named,
  payload: { version?: number } | null,
  request: FastifyRequest,
  reply: FastifyReply,
): KeptAnswer {
  return {
    ...named,
    status: reply.statusCode,
    body: bodyOf(payload, request, reply),
    location: (reply.getHeader('location') as string | undefined) ?? null,
    etag: payload?.version === undefined ? null : `"${payload.version}"`,
  }
}

function bodyOf(payload: object | null, request: FastifyRequest, reply: FastifyReply): string | null {
  const { cache, respond } = request.routeOptions.config
  if (cache === 'no-store') return null
  if (payload === null) return ''
  return respond ? JSON.stringify(payload) : (reply.serialize(payload) as string)
}

/**
 * Runs the handler in a statement that it shares with other requests. Returns undefined where nothing was written: it
 * was left out, or it is refused, and only the transaction finds out whether the key has an answer all the same.
 */
async function gathered(
  handler: OmitThisParameter<RouteHandlerMethod>,
  named: Named,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  request.claim = {
    answer(status, payload, location) {
      reply.code(status).header('location', location)
      return answerOf(named, payload, request, reply)
    },
  }
  try {
    return await handler(request, reply)
  } catch (error) {
    reply.removeHeader('location')
    if (error instanceof LeftOut || (error instanceof AppError && error.status < 500)) return undefined
    throw error
  } finally {
    request.claim = null
  }
}

type Kept = NonNullable<Awaited<ReturnType<typeof findAnswer>>>

function replay({ status, body, location, etag }: Kept, request: FastifyRequest, reply: FastifyReply): unknown {
  if (body === null) throw idempotencyErrors.idempotency_answer_not_kept()
  reply.code(status).header('idempotent-replayed', 'true')
  if (request.routeOptions.config.respond) return responded(request, reply, JSON.parse(body))
  if (location !== null) reply.header('location', location)
  if (etag !== null) reply.header('etag', etag)
  if (body === '') return reply.send()
  const cache = cacheControlOf(request.routeOptions.config)
  return reply.header('cache-control', cache).type('application/json; charset=utf-8').send(body)
}

export const idempotencyPlugin = fp(idempotency, {
  name: 'idempotency',
  dependencies: ['database', 'events', 'access'],
})
