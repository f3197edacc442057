import compress from '@fastify/compress'
import type { FastifyInstance, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { isList } from '../lib/schema.ts'

/** A smaller response hardly shrinks, and compressing it costs more than it saves. */
const THRESHOLD_BYTES = 2048

/**
 * Compresses lists and documents when the client accepts it. A single resource is not compressed: its strong ETag
 * identifies its exact bytes (RFC 9110 §8.8.3).
 */
async function compression(app: FastifyInstance) {
  app.addHook('onRoute', (route: RouteOptions) => {
    if (isList(answerOf(route)) || route.url === '/openapi.json') route.compress = { threshold: THRESHOLD_BYTES }
  })
  await app.register(compress, { global: false })
}

const answerOf = ({ schema }: RouteOptions) => (schema?.response as { 200?: { title?: string } } | undefined)?.[200]

export const compressionPlugin = fp(compression, { name: 'compression' })
