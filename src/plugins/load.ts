import underPressure from '@fastify/under-pressure'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { requestErrors } from '../lib/errors.ts'

const SAMPLE_MS = 500
/** The first sample measures the start itself, and would refuse the first requests of a process that is ready. */
const SETTLE_MS = 2 * SAMPLE_MS

/**
 * Refuses early with Retry-After when the process cannot keep up: where work waits longer than this for its turn, more work
 * would only wait longer. Health answers throughout.
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
