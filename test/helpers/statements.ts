import type { FastifyInstance } from 'fastify'
import type { Query } from '../../src/database/executor.ts'

/** What an app asks by itself, whether or not there are requests. */
const BACKGROUND = 'sessions.ended'

/** Every single statement that requests send from now on, in order; transactions are not among them. */
export function recordStatements({ database }: FastifyInstance): Query[] {
  const seen: Query[] = []
  const run = database.run.bind(database)
  database.run = query => {
    if (query.name !== BACKGROUND) seen.push(query)
    return run(query)
  }
  return seen
}
