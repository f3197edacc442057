import type { FastifyInstance } from 'fastify'
import { type Credentials, call } from './call.ts'

interface Sent {
  variables?: object
  headers?: Record<string, string>
}

/** Sends a GraphQL document; returns status, `data` and `errors`. */
export async function graph(
  app: FastifyInstance,
  as: Credentials | null,
  query: string,
  { variables = {}, headers = {} }: Sent = {},
) {
  const answer = await call(app, 'POST /graphql', { as, body: { query, variables }, headers })
  return { ...answer, data: answer.body?.data, errors: answer.body?.errors }
}
