import underPressure from '@fastify/under-pressure'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { requestErrors } from '../lib/errors.ts'

const SAMPLE_MS = 500
/** The first sample measures the start itself; it would make a ready process refuse its first requests. */
const SETTLE_MS = 2 * SAMPLE_MS

/**
 * Refuses requests with Retry-After when the event loop is delayed by more than `maxEventLoopDelayMs`, because more
 * work would only wait longer. Health checks are always answered.
 */
async function load(app: FastifyInstance, { maxEventLoopDelayMs }: { maxEventLoopDelayMs: number }) {
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
      if (settled && !request.url.startsWith('/health/')) throw requestErrors.overloaded()
    },
  })
}

export const loadPlugin = fp(load, { name: 'load', dependencies: ['errors'] })
