import underPressure from '@fastify/under-pressure'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { requestErrors } from '../lib/errors.ts'

/** Work waiting longer than this for its turn says that more work would only wait longer. */
const MAX_EVENT_LOOP_DELAY_MS = 400
const SAMPLE_MS = 500

/** Refuses early with Retry-After when the process cannot keep up; health answers throughout. */
async function load(app: FastifyInstance) {
  await app.register(underPressure, {
    maxEventLoopDelay: MAX_EVENT_LOOP_DELAY_MS,
    sampleInterval: SAMPLE_MS,
    pressureHandler: (request: FastifyRequest, _reply: FastifyReply) => {
      if (!request.url.startsWith('/health/')) throw requestErrors.overloaded()
    },
  })
}

export const loadPlugin = fp(load, { name: 'load', dependencies: ['errors'] })
