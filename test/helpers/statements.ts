import type { FastifyInstance } from 'fastify'
import type { Query } from '../../src/database/executor.ts'

/** Every single statement that the app sends from now on, in order; transactions are not among them. */
export function recordStatements({ database }: FastifyInstance): Query[] {
  const seen: Query[] = []
  const run = database.run.bind(database)
  database.run = query => {
    seen.push(query)
    return run(query)
  }
  return seen
}
