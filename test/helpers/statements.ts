import type { FastifyInstance } from 'fastify'
import { Transaction } from '../../src/database/client.ts'
import type { Executor } from '../../src/database/executor.ts'
import type { Query } from '../../src/database/query.ts'

/** Statements that the app sends without requests. */
const BACKGROUND = ['sessions.ended', 'events.epoch.begin']

/** Calls `hear` for each single statement that the app sends from now on; returns the function that stops it. */
function onStatement({ database }: FastifyInstance, hear: (query: Query) => void): () => void {
  const stops = [database, database.writes].map((executor: Executor) => {
    const { run } = executor
    const send: Executor['run'] = run.bind(executor)
    executor.run = query => {
      if (!BACKGROUND.includes(query.name)) hear(query as Query)
      return send(query)
    }
    return () => {
      executor.run = run
    }
  })
  return () => {
    for (const stop of stops) stop()
  }
}

/** Records every single statement of requests from now on, in order; those in transactions are not included. */
export function recordStatements(app: FastifyInstance): Query[] {
  const seen: Query[] = []
  onStatement(app, query => seen.push(query))
  return seen
}

/**
 * Returns the names of all statements that `work` sends, also in transactions; those of the job library are named
 * `job`.
 */
export async function statementsOf(app: FastifyInstance, work: () => Promise<unknown>): Promise<string[]> {
  const names: string[] = []
  const { run, execute } = Transaction.prototype
  const stop = onStatement(app, query => names.push(query.name))
  Transaction.prototype.run = function (query) {
    names.push(query.name)
    return Reflect.apply(run, this, [query])
  }
  Transaction.prototype.execute = function (...sent) {
    names.push('job')
    return execute.apply(this, sent)
  }
  try {
    await work()
  } finally {
    stop()
    Object.assign(Transaction.prototype, { run, execute })
  }
  return names
}
