import underPressure from '@fastify/under-pressure'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { requestErrors } from '../lib/errors.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether it is one of those that `MAX_REQUESTS_IN_FLIGHT` bounds: from the end of its body to its answer. */
    isInFlight: boolean
    /** Stops counting it, because it will take long without much work. */
    leaveFlight(): void
  }
}

interface LoadOptions {
  maxEventLoopDelayMs: number
  maxRequestsInFlight: number
}

const SAMPLE_MS = 500
/** The first sample measures the start itself; it would make a ready process refuse its first requests. */
const SETTLE_MS = 2 * SAMPLE_MS

/** Made once: the stack of an error is a fifth of what a refusal costs. */
const OVERLOADED = requestErrors.overloaded()

const isHealth = ({ url }: FastifyRequest): boolean => url.startsWith('/health/')

/**
 * Refuses requests with Retry-After when `maxRequestsInFlight` are being answered, or when the event loop is delayed by
 * more than `maxEventLoopDelayMs`: more work would only wait longer. Health checks are always answered.
 */
async function load(app: FastifyInstance, { maxEventLoopDelayMs, maxRequestsInFlight }: LoadOptions) {
  let inFlight = 0
  app.decorateRequest('isInFlight', false)
  app.decorateRequest('leaveFlight', function (this: FastifyRequest) {
    if (this.isInFlight) inFlight--
    this.isInFlight = false
  })
  app.addHook('onRequest', (request, _reply, done) =>
    done(inFlight >= maxRequestsInFlight && !isHealth(request) ? OVERLOADED : undefined),
  )
  // A request whose body is slow has cost nothing yet, and a socket stays for hours.
  app.addHook('preValidation', (request, _reply, done) => {
    if (!request.ws) {
      request.isInFlight = true
      inFlight++
    }
    done()
  })
  app.addHook('onSend', (request, _reply, _payload, done) => {
    request.leaveFlight()
    done()
  })

  let settled = false
  app.addHook('onListen', done => {
    setTimeout(() => {
      settled = true
    }, SETTLE_MS).unref()
    done()
  })
  await app.register(underPressure, {
    maxEventLoopDelay: maxEventLoopDelayMs,
    sampleInterval: SAMPLE_MS,
    pressureHandler: (request: FastifyRequest, _reply: FastifyReply) => {
      if (settled && !isHealth(request)) throw OVERLOADED
    },
  })
}

export const loadPlugin = fp(load, { name: 'load', dependencies: ['errors'] })
