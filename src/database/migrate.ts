import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'
import { Servers, urlsOf } from './servers.ts'
import { checkSessions, NoSessions } from './sessions.ts'

const FOLDER = fileURLToPath(new URL('../../migrations', import.meta.url))
/** The key of the advisory lock. Any constant works that nothing else in the database uses. */
const LOCK = 4_617_315_517
/** How long a start waits for the server to answer, and for another process to finish its migrations. */
const BOUND_MS = 30_000
/** The limit of one statement: an index on a large table may take this long. */
const MIGRATION_MS = 3_600_000
/** The server's lock timeout must end first: its error tells a held lock from a silent server. */
const MARGIN_MS = 1_000

const LOCK_NOT_AVAILABLE = '55P03'
const READ_ONLY = '25006'
/** SQLSTATEs: no such database, wrong password, user not allowed, server starting or stopping. */
const REFUSED = ['3D000', '28P01', '28000', '57P01', '57P02', '57P03']
const UNREACHABLE = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOST|ENET|EAI_)/
/** Errors of the driver itself have no code. */
const SILENT = /^(timeout expired|Query read timeout)/
/** Fastify's timeouts of a start. Only the database can make a start wait this long. */
const LATE = ['FST_ERR_PLUGIN_TIMEOUT', 'FST_ERR_HOOK_TIMEOUT']
const ENDED = /^Connection terminated/
/** Node's codes of certificates that are refused. */
const UNTRUSTED = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH)/

/** The database cannot be prepared. The message is one sentence for the operator. */
export class DatabaseStartError extends Error {
  override readonly name = 'DatabaseStartError'
}

interface Migrated {
  /** Whether the event log meets this server for the first time, or after a restart. */
  epochBegan: boolean
}

/**
 * Applies the missing migrations in one transaction and records for the event log which server it runs on. Instances
 * that start together wait for each other on an advisory lock. Throws `DatabaseStartError` when the server is the
 * cause.
 */
export async function migrate(url: string, { boundMs = BOUND_MS } = {}): Promise<Migrated> {
  await checkSessions(url, boundMs).catch(error => {
    throw asStartError(error, boundMs)
  })
  const client = await openClient(url, boundMs)
  try {
    await client.query(lockWithin(boundMs + MARGIN_MS))
    await applyMigrations(drizzle(client), { migrationsFolder: FOLDER })
    const { rows } = await client.query('select begin_event_epoch() as begun')
    return { epochBegan: rows[0].begun }
  } catch (error) {
    throw asStartError(error as Error, boundMs)
  } finally {
    await client.end()
  }
}

async function openClient(url: string, boundMs: number): Promise<pg.Client> {
  const make = () => {
    const client = new pg.Client({
      connectionString: urlsOf(url)[0] as string,
      application_name: 'lintel-migrate',
      connectionTimeoutMillis: boundMs,
      lock_timeout: boundMs,
      query_timeout: MIGRATION_MS,
    })
    return client.on('error', () => {})
  }
  try {
    return await new Servers(url).open(make)
  } catch (error) {
    throw asStartError(error as Error, boundMs)
  }
}

/** The published type of a query lacks `query_timeout`, which the driver supports. */
const lockWithin = (boundMs: number): pg.QueryConfig & { query_timeout: number } => ({
  text: 'select pg_advisory_lock($1)',
  values: [LOCK],
  query_timeout: boundMs,
})

/**
 * Returns a `DatabaseStartError` when the server is the cause, also for errors later in the start; otherwise the error
 * itself.
 */
export function asStartError(error: Error, boundMs = BOUND_MS): Error {
  if (error instanceof NoSessions) return new DatabaseStartError(error.message, { cause: error })
  // Drizzle wraps the errors of the driver.
  const cause = (error.cause ?? error) as NodeJS.ErrnoException
  const sentence = sentenceOf(cause, boundMs)
  return sentence === undefined ? error : new DatabaseStartError(sentence, { cause })
}

/** Returns the sentence for the operator, or undefined when the server is not the cause. */
function sentenceOf({ code = '', message, syscall }: NodeJS.ErrnoException, boundMs: number): string | undefined {
  if (code === LOCK_NOT_AVAILABLE)
    return `The database of DATABASE_URL has been locked for ${boundMs / 1_000} s, by another process that migrates it or by a long transaction: see pg_locks, end that session, and start again.`
  if (code === READ_ONLY)
    return 'The database of DATABASE_URL can only be read, as a standby: set DATABASE_URL to the primary, or promote it.'
  if (SILENT.test(message) || LATE.includes(code))
    return 'The database of DATABASE_URL does not answer: see whether the server hangs, and start again.'
  if (
    UNREACHABLE.test(code) ||
    UNTRUSTED.test(code) ||
    syscall === 'connect' ||
    REFUSED.includes(code) ||
    ENDED.test(message)
  )
    return `The database of DATABASE_URL cannot be reached: ${message || code}.`
  return undefined
}
