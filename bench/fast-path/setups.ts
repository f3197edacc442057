import pg from 'pg'
import { connectionOptions, type Database, poolOptions, Transaction } from '../../src/database/client.ts'
import type { Executor } from '../../src/database/executor.ts'
import { sendStatement } from '../../src/database/fast-path/query.ts'
import { WireClient } from '../../src/database/fast-path/wire.ts'
import { parserOf } from '../../src/database/parsers.ts'
import { PlainStatements, sendPlainly } from '../../src/database/plain.ts'
import type { Query } from '../../src/database/query.ts'

/** Single statements on one setup; nothing else of `Database` is used. */
export type Statements = Database
export interface Setup {
  statements: Statements
  close(): Promise<void>
}

const POOL = 10
const types = { getTypeParser: (oid: number) => parserOf(oid) }

const over = (run: Executor['run'], coalesces: boolean) => ({ run, coalesces }) as Database

/** Returns the driver's own rows with unchanged column names, which is less work than any code of ours could do. */
async function sendBarely<Result>(client: pg.Client, { name, text, values, rows }: Query<Result>): Promise<Result[]> {
  return rows.of((await client.query({ name, text, values, types } as pg.QueryConfig)).rows)
}

async function pipelined<C extends pg.Client>(
  client: C,
  sendOver: <Result>(client: C, query: Query<Result>) => Promise<Result[]>,
  coalesces: boolean,
): Promise<Setup> {
  await client.connect()
  return { statements: over(query => sendOver(client, query), coalesces), close: () => client.end() }
}

/** Setups with one more part of the fast path each, and one with all but the compiled reader. */
export const setups: Record<string, (url: string) => Promise<Setup>> = {
  async 'plain pg, a pool of ten'(url) {
    const single = new PlainStatements(new pg.Pool({ ...poolOptions(url, { fastPath: false }), max: POOL }))
    return { statements: over(single.read, false), close: () => single.close() }
  },
  '+ pipelined': url => pipelined(new pg.Client(optionsOf(url)), sendPlainly, false),
  '+ rows as they come': url => pipelined(new WireClient(optionsOf(url)), sendStatement, false),
  '+ coalesced: all': url => pipelined(new WireClient(optionsOf(url)), sendStatement, true),
  'all, but rows by the driver': url => pipelined(new pg.Client(optionsOf(url)), sendBarely, true),
}

/** The fast path does not use the driver's own query timeout. */
function optionsOf(url: string): pg.ClientConfig {
  const { query_timeout: _, ...options } = connectionOptions(url)
  return { ...options, pipeline: true } as pg.ClientConfig
}

/** Opens one connection for transactions, with or without the fast path. */
export async function transactions(url: string, { fastPath }: { fastPath: boolean }) {
  const pool = new pg.Pool({ ...poolOptions(url, { fastPath }), max: 1 })
  const client = await pool.connect()
  const close = async () => {
    client.release()
    await pool.end()
  }
  return { client, tx: new Transaction(client), close }
}
