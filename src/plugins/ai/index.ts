import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../../config.ts'
import type { AiProvider } from '../../lib/ai-provider.ts'
import { Echo } from './echo.ts'
import { OpenAi } from './openai.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers questions. Never call it inside a transaction. */
    ai: AiProvider
  }
}

/** Answers that one process can have written at once; each holds a connection to the provider. */
const CONNECTIONS = 1_000

async function ai(app: FastifyInstance, options: Config['ai']) {
  const { baseUrl, model } = options
  if (baseUrl === null || model === null) {
    app.decorate('ai', new Echo() as AiProvider)
    return
  }
  const client = app.outbound.trusting(baseUrl, CONNECTIONS)
  app.addHook('onClose', () => client.close())
  app.decorate('ai', new OpenAi(client, { ...options, baseUrl, model }))
}

export const aiPlugin = fp(ai, { name: 'ai', dependencies: ['outbound'] })
