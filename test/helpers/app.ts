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
  /**
   * Runs SQL on the app's database, not through the app; rows are objects. With a `name` it is a prepared statement.
   */
  sql: (text: string, values?: unknown[], name?: string) => ReturnType<typeof JSON.parse>
  config: Config & { databaseUrl: string }
}

interface Test {
  teardown(done: () => Promise<void>): void
}

const MANY = 1_000_000_000
/**
 * The longest allowed event loop delay, and wait for a connection, so that a process without CPU time on a busy machine
 * does not refuse the requests of a test.
 */
const PATIENCE_MS = 60_000

/** Starts the real application on its own database; both end with `t`. Jobs and the relay run only with `works`. */
export async function testApp(t: Test, overrides: Partial<Config> = {}): Promise<TestApp> {
  const { url, drop } = await createDatabase()
  return appOn(t, url, overrides, drop)
}

/** Starts the real application on a migrated database; `after` runs when the app has closed. */
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
      DATABASE_ACQUIRE_MS: String(PATIENCE_MS),
      // So any test can be run without the fast path, or with a cache.
      DATABASE_FAST_PATH: process.env.DATABASE_FAST_PATH,
      CACHE_TTL_MS: process.env.CACHE_TTL_MS,
    }),
    works: false,
    maxEventLoopDelayMs: PATIENCE_MS,
    dataDirectory,
    // The provider of a test runs beside it.
    ...(overrides.google && { outboundAllow: ['127.0.0.1'] }),
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

/** Starts another app on the database of `test`, like another process of the same service. */
export async function anotherNode(t: Test, { config }: TestApp, overrides: Partial<Config> = {}) {
  const app = await buildApp({ ...config, ...overrides, databaseUrl: config.databaseUrl })
  t.teardown(() => app.close())
  await app.ready()
  return app
}

/** Listens on `port`, or on a free one; returns the base URL. */
export async function listen(app: FastifyInstance, port = 0): Promise<string> {
  await app.listen({ host: '127.0.0.1', port })
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
}
