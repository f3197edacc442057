import pg from 'pg'
import { startEmbedded } from '../src/database/embedded.ts'

const EMBEDDED_DATA = '.data/bench'

/** A PostgreSQL server on which a bench creates its databases. */
export class BenchServer {
  readonly url: string

  constructor(url: string) {
    this.url = url
  }

  urlOf(database: string): string {
    const url = new URL(this.url)
    url.pathname = `/${database}`
    return url.href
  }

  async has(database: string): Promise<boolean> {
    const find = (client: pg.Client) => client.query('select from pg_database where datname = $1', [database])
    return (await withClient(this.url, find)).rowCount === 1
  }

  /** Creates an empty database; replaces one of the same name. */
  async create(database: string): Promise<string> {
    await this.drop(database)
    await withClient(this.url, client => client.query(`create database ${pg.escapeIdentifier(database)}`))
    return this.urlOf(database)
  }

  async drop(database: string): Promise<void> {
    const drop = `drop database if exists ${pg.escapeIdentifier(database)} with (force)`
    await withClient(this.url, client => client.query(drop))
  }
}

/** Runs `work` on the server of BENCH_DATABASE_URL, or on an embedded one. */
export async function withServer(work: (server: BenchServer) => Promise<void>): Promise<void> {
  const given = process.env.BENCH_DATABASE_URL
  if (given) return work(new BenchServer(given))
  const embedded = await startEmbedded({ dataDirectory: EMBEDDED_DATA, progress: console.log })
  try {
    await work(new BenchServer(embedded.url))
  } finally {
    await embedded.stop()
  }
}

/** Runs `work` with its own connection. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'lintel-bench' })
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

export async function serverVersion(url: string): Promise<string> {
  const { rows } = await withClient(url, client => client.query('show server_version'))
  return rows[0].server_version
}
