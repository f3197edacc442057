import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { AiProvider } from '../../lib/ai-provider.ts'
import { Echo } from './echo.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers questions. Never call it inside a transaction. */
    ai: AiProvider
  }
}

async function ai(app: FastifyInstance) {
  app.decorate('ai', new Echo() as AiProvider)
}

export const aiPlugin = fp(ai, { name: 'ai' })
