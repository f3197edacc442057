import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import pg from 'pg'
import { buildApp } from '../../src/app.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import { createDatabase } from './database.ts'

export interface TestApp {
  app: FastifyInstance
  /** SQL on the app's own database, past the app; rows are objects. A `name` makes it a prepared statement. */
  sql: (text: string, values?: unknown[], name?: string) => ReturnType<typeof JSON.parse>
  config: Config & { databaseUrl: string }
}

interface Test {
  teardown(done: () => Promise<void>): void
}

const MANY = 1_000_000_000
/** A process that a busy machine gives no processor must not refuse what a test asks: the longest delay there is. */
const PATIENCE_MS = 60_000

/** The real application on a database of its own; both are gone when `t` ends. Jobs and relay run only with `works`. */
export async function testApp(t: Test, overrides: Partial<Config> = {}): Promise<TestApp> {
  const { url, drop } = await createDatabase()
  return appOn(t, url, overrides, drop)
}

/** The real application on a migrated database; `after` runs when it has closed. */
export async function appOn(
  t: Test,
  url: string,
  overrides: Partial<Config> = {},
  after = async (): Promise<void> => {},
): Promise<TestApp> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'lintel-test-'))
  const config = {
    ...loadConfig({
      NODE_ENV: 'test',
      LOG_LEVEL: 'silent',
      RATE_LIMIT: String(MANY),
      DATABASE_URL: url,
      // Any test can be run without the fast path.
      DATABASE_FAST_PATH: process.env.DATABASE_FAST_PATH,
    }),
    works: false,
    maxEventLoopDelayMs: PATIENCE_MS,
    dataDirectory,
    ...overrides,
    databaseUrl: url,
  }
  const pool = new pg.Pool({ connectionString: url, max: 4, options: '-c TimeZone=UTC' })
  pool.on('error', () => {})
  const app = await buildApp(config)
  t.teardown(async () => {
    await app.close()
    await pool.end()
    await after()
    rmSync(dataDirectory, { recursive: true, force: true })
  })
  await app.ready()
  return {
    app,
    sql: async (text, values, name) =>
      (await pool.query({ text, ...(values && { values }), ...(name && { name }) })).rows,
    config,
  }
}

/** A further process of the same service, as far as a test can tell: another app on the database of `test`. */
export async function anotherNode(t: Test, { config }: TestApp, overrides: Partial<Config> = {}) {
  const app = await buildApp({ ...config, ...overrides, databaseUrl: config.databaseUrl })
  t.teardown(() => app.close())
  await app.ready()
  return app
}

/** Listens on a free port; the base URL. */
export async function listen(app: FastifyInstance): Promise<string> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
}
