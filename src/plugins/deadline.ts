import type { FastifyInstance, FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { Gauge } from 'prom-client'
import { requestErrors } from '../lib/errors.ts'

/** It counts from the head, so it must leave a slow body to the server's own limit; the database gives up in a third of this. */
const HANDLER_MS = 12_000
const LOOK_MS = 1_000

/**
 * Answers for a handler that does not. The library's own limit costs a timer, an AbortController and a listener for each
 * request, a tenth of a read by id; here all requests share one timer.
 */
async function deadline(app: FastifyInstance) {
  /** In the order of their arrival. */
  const inFlight = new Set<FastifyReply>()
  app.addHook('onRequest', (_request, reply, done) => {
    inFlight.add(reply)
    done()
  })
  app.addHook('onResponse', (_request, reply, done) => {
    inFlight.delete(reply)
    done()
  })

  const look = setInterval(() => {
    for (const reply of inFlight) {
      if (reply.elapsedTime < HANDLER_MS) break
      // A client that went away never gets the answer that would end its request.
      inFlight.delete(reply)
      if (!reply.sent && !reply.raw.headersSent) reply.send(requestErrors.handler_timeout())
    }
  }, LOOK_MS).unref()
  app.addHook('onClose', async () => clearInterval(look))

  new Gauge({
    name: 'http_requests_in_flight',
    help: 'Requests that are being answered.',
    registers: [app.metrics],
    collect() {
      this.set(inFlight.size)
    },
  })
}

export const deadlinePlugin = fp(deadline, { name: 'deadline', dependencies: ['observability'] })
