import type { FastifyInstance } from 'fastify'
import { Transaction } from '../../src/database/client.ts'
import type { Executor } from '../../src/database/executor.ts'
import type { Query } from '../../src/database/query.ts'

/** What an app asks by itself, whether or not there are requests. */
const BACKGROUND = 'sessions.ended'

/** Every single statement that requests send from now on, in order; transactions are not among them. */
export function recordStatements({ database }: FastifyInstance): Query[] {
  const seen: Query[] = []
  const run: Executor['run'] = database.run.bind(database)
  database.run = query => {
    if (query.name !== BACKGROUND) seen.push(query)
    return run(query)
  }
  return seen
}

/** The name of everything that `work` sends, inside transactions as well; what the job library sends is a `job`. */
export async function statementsOf({ database }: FastifyInstance, work: () => Promise<unknown>): Promise<string[]> {
  const names: string[] = []
  const { run, execute } = Transaction.prototype
  const single = database.run
  const runAlone: Executor['run'] = single.bind(database)
  database.run = query => {
    if (query.name !== BACKGROUND) names.push(query.name)
    return runAlone(query)
  }
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
    database.run = single
    Object.assign(Transaction.prototype, { run, execute })
  }
  return names
}
