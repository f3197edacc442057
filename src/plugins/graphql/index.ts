import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { anyCredential } from '../../lib/access.ts'
import type { Engine } from './engine.ts'
import { type GraphAnswer, GraphRequest } from './request.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Loads what executes GraphQL, once. */
    graph(): Promise<Engine>
  }
}

/** Rolls back the transaction of an idempotency key; its answer is sent all the same. */
class RolledBack extends Error {
  readonly answer: GraphAnswer

  constructor(answer: GraphAnswer) {
    super('a field failed')
    this.answer = answer
  }
}

/**
 * Serves `POST /graphql`. The libraries take 40 MB and are loaded with the first request, so a process that nobody asks
 * for the graph does not have them.
 */
async function graphql(app: FastifyInstance, { production }: { production: boolean }) {
  let engine: Promise<Engine> | undefined
  app.decorate('graph', () => {
    engine ??= import('./engine.ts').then(({ startEngine }) => startEngine(app, { production }))
    return engine
  })

  app.post<{ Body: GraphRequest }>(
    '/graphql',
    {
      config: { access: anyCredential },
      schema: { hide: true, operationId: 'graphql', body: GraphRequest },
      errorHandler: answerRolledBack,
    },
    async (request, reply) => {
      const { execute } = await app.graph()
      const answer = await execute(request)
      if (answer.data === undefined) reply.code(400)
      if (answer.errors && request.transaction) throw new RolledBack({ ...answer, data: null })
      return answer
    },
  )
}

function answerRolledBack(this: FastifyInstance, error: FastifyError, _request: FastifyRequest, reply: FastifyReply) {
  if (!(error instanceof RolledBack)) throw error
  return reply.code(200).send(error.answer)
}

export const graphqlPlugin = fp(graphql, { name: 'graphql', dependencies: ['access', 'idempotency', 'routes'] })
