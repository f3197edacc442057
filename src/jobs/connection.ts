import type pg from 'pg'
import type { Db } from 'pg-boss'
import { poolOptions, Transaction } from '../database/client.ts'
import { ConnectionGate, gatedPool } from '../database/gate.ts'
import type { Log } from '../database/log.ts'
import { Servers } from '../database/servers.ts'
import type { Tracing } from '../lib/tracing.ts'

const CONNECTIONS = 4
/** Longer than for requests: maintenance of the queue may take long. */
const STATEMENT_TIMEOUT_MS = 60_000

/** The connection on which the queue library runs its SQL. A transactional handler finds its `Transaction` in it. */
export interface JobDatabase extends Db {
  transaction?: Transaction
}

/** Runs the library's SQL in an open transaction. */
export const joining = (tx: Transaction): JobDatabase => ({
  transaction: tx,
  executeSql: (text, values) => tx.execute(text, values),
})

export interface JobConnectionsOptions {
  fastPath: boolean
  log: Log
  /** Null where nobody collects spans. */
  tracing?: Tracing | null
}

/** A separate pool: queue maintenance must not take the connections of requests. */
export class JobConnections implements Db {
  readonly #pool: pg.Pool
  readonly #tracing: Tracing | null

  constructor(url: string, { fastPath, log, tracing = null }: JobConnectionsOptions) {
    this.#tracing = tracing
    const { query_timeout, ...options } = poolOptions(url, { fastPath })
    this.#pool = gatedPool(
      { ...options, max: CONNECTIONS, statement_timeout: STATEMENT_TIMEOUT_MS },
      { servers: new Servers(url), gate: new ConnectionGate(), log },
    )
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
      db: joining(new Transaction(client, this.#tracing)),
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
