import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { PgBoss } from 'pg-boss'
import { migrate } from '../../src/database/migrate.ts'

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url))
const SERVER = process.env.TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres'
const TEMPLATE = 'lintel_template'
/** The key of the advisory lock by which test files that start together build only one template. Any constant works. */
const LOCK = 4_617_315_518

export interface TestDatabase {
  url: string
  drop(): Promise<void>
}

/** Creates a migrated database: a copy of a template, which is built once for each state of the migrations. */
export async function createDatabase(): Promise<TestDatabase> {
  const name = `lintel_test_${process.pid}_${randomBytes(4).toString('hex')}`
  await onServer(async server => {
    const template = await templateOf(server)
    await server.query(`create database ${name} template ${template}`)
  })
  const drop = () => onServer(async server => void (await server.query(`drop database if exists ${name} with (force)`)))
  return { url: urlOf(name), drop }
}

/** Creates an empty database, for code that runs the migrations itself; `locale` replaces that of the server. */
export async function createEmptyDatabase(locale?: 'C'): Promise<TestDatabase> {
  const name = `lintel_test_${process.pid}_${randomBytes(4).toString('hex')}`
  const like = locale ? `template template0 encoding 'UTF8' lc_collate '${locale}' lc_ctype '${locale}'` : ''
  await onServer(async server => void (await server.query(`create database ${name} ${like}`)))
  const drop = () => onServer(async server => void (await server.query(`drop database if exists ${name} with (force)`)))
  return { url: urlOf(name), drop }
}

function urlOf(database: string): string {
  const url = new URL(SERVER)
  url.pathname = `/${database}`
  return url.href
}

async function onServer<T>(work: (server: pg.Client) => Promise<T>): Promise<T> {
  const server = new pg.Client({ connectionString: SERVER })
  await server.connect()
  try {
    return await work(server)
  } finally {
    await server.end()
  }
}

async function templateOf(server: pg.Client): Promise<string> {
  const name = `${TEMPLATE}_${fingerprint()}`
  await server.query('select pg_advisory_lock($1)', [LOCK])
  try {
    const { rowCount } = await server.query('select from pg_database where datname = $1', [name])
    if (!rowCount) await buildTemplate(server, name)
  } finally {
    await server.query('select pg_advisory_unlock($1)', [LOCK])
  }
  return name
}

/**
 * Builds the template under another name and renames it at the end, so that a killed run leaves no incomplete template.
 */
async function buildTemplate(server: pg.Client, name: string): Promise<void> {
  const unfinished = `${name}_unfinished`
  await server.query(`drop database if exists ${unfinished} with (force)`)
  await server.query(`create database ${unfinished}`)
  await migrate(urlOf(unfinished))
  const boss = new PgBoss({ connectionString: urlOf(unfinished), schema: 'jobs', supervise: false, schedule: false })
  await boss.start()
  await boss.stop({ graceful: true, close: true })
  await server.query(`alter database ${unfinished} rename to ${name}`)
}

function fingerprint(): string {
  const hash = createHash('sha256').update(createRequire(import.meta.url)('pg-boss/package.json').version)
  for (const file of readdirSync(MIGRATIONS).sort())
    if (file.endsWith('.sql')) hash.update(file).update(readFileSync(join(MIGRATIONS, file)))
  return hash.digest('hex').slice(0, 12)
}
