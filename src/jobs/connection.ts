import pg from 'pg'
import type { Db } from 'pg-boss'
import { poolOptions, Transaction } from '../database/client.ts'

const CONNECTIONS = 4
/** Maintenance of the queue may take longer than a request. */
const STATEMENT_TIMEOUT_MS = 60_000

/** What the queue library runs its SQL on. A transactional handler finds its `Transaction` on the object it is given. */
export interface JobDatabase extends Db {
  transaction?: Transaction
}

/** Runs the library's SQL in a transaction that is already open. */
export const joining = (tx: Transaction): JobDatabase => ({
  transaction: tx,
  executeSql: (text, values) => tx.execute(text, values),
})

/** A pool of its own: a queue under maintenance must not take the connections of requests. */
export class JobConnections implements Db {
  readonly #pool: pg.Pool

  constructor(url: string, { fastPath }: { fastPath: boolean }) {
    const { query_timeout, ...options } = poolOptions(url, { fastPath })
    this.#pool = new pg.Pool({
      ...options,
      max: CONNECTIONS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
    })
    this.#pool.on('error', () => {})
    this.#pool.on('connect', client => client.on('error', () => {}))
  }

  executeSql(text: string, values?: unknown[]) {
    return this.#pool.query(text, values)
  }

  async beginTransaction(): ReturnType<NonNullable<Db['beginTransaction']>> {
    const client = await this.#pool.connect()
    await client.query('begin').catch(error => {
      client.release(true)
      throw error
    })
    return {
      db: joining(new Transaction(client)),
      async commit() {
        await client.query('commit')
        client.release()
      },
      async rollback() {
        await client.query('rollback').then(
          () => client.release(),
          () => client.release(true),
        )
      },
    }
  }

  close(): Promise<void> {
    return this.#pool.end()
  }
}
