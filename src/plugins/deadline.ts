import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { Gauge } from 'prom-client'
import { requestErrors } from '../lib/errors.ts'
import { sinceStreamed } from './streamed-body.ts'

/**
 * The time limit of a handler. It counts from the request head, or from the end of a body that is read as a stream, so it
 * must be longer than the server's limit for a slow body; the database's limits are a third of it.
 */
const HANDLER_MS = 12_000
const LOOK_MS = 1_000

const REPLY = Symbol('reply')
interface Response extends ServerResponse {
  [REPLY]?: FastifyReply
}
/** Node keeps the current response on its socket. */
interface Answering extends Socket {
  _httpMessage?: Response | null
}

/**
 * Sends `handler_timeout` when a handler does not answer in time. Fastify's own limit costs a timer, an AbortController
 * and a listener for each request, a tenth of a read by id; here one timer checks all connections. The requests are in
 * no collection of their own: a long-lived collection keeps removed entries alive until the next full garbage
 * collection.
 */
async function deadline(app: FastifyInstance) {
  app.addHook('onRequest', (_request, reply, done) => {
    ;(reply.raw as Response)[REPLY] = reply
    done()
  })
  const inFlight = (): FastifyReply[] =>
    [...app.connections].flatMap(socket => (socket as Answering)._httpMessage?.[REPLY] ?? [])

  const look = setInterval(() => {
    for (const reply of inFlight())
      if (elapsedOf(reply) > HANDLER_MS && !reply.sent && !reply.raw.headersSent)
        reply.send(requestErrors.handler_timeout())
  }, LOOK_MS).unref()
  app.addHook('onClose', async () => clearInterval(look))

  new Gauge({
    name: 'http_requests_in_flight',
    help: 'Requests that are being answered.',
    registers: [app.metrics],
    collect() {
      this.set(inFlight().length)
    },
  })
}

const elapsedOf = ({ elapsedTime, request }: FastifyReply): number => sinceStreamed(request.raw) ?? elapsedTime

export const deadlinePlugin = fp(deadline, { name: 'deadline', dependencies: ['connections', 'observability'] })
