import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import pg from 'pg'
import { type Config, ConfigError, loadConfig } from '../src/config.ts'
import { Database } from '../src/database/client.ts'
import { EmbeddedError, findEmbedded, hasEmbedded, startEmbedded } from '../src/database/embedded.ts'
import { asStartError, DatabaseStartError, migrate } from '../src/database/migrate.ts'
import { urlsOf } from '../src/database/servers.ts'
import { firstAdminLink } from '../src/domains/auth/service/first-admin.ts'

// Prints a link that makes an account an admin. Use it when the link of the first start or the last admin is lost.
const CONNECTIONS = 2

/** The message is printed for the operator. */
class AdminError extends Error {}

interface Place {
  url: string
  /** Database name and host, printed so that the operator can check it; without the password. */
  name: string
  stop(): Promise<void>
}

/**
 * Finds the database of `DATABASE_URL`, or the embedded one in `DATA_DIR`. It never creates a database. Throws
 * `AdminError` when there is none.
 */
async function locate({ databaseUrl, dataDirectory }: Config): Promise<Place> {
  if (databaseUrl !== null) return { url: databaseUrl, name: nameOf(databaseUrl), stop: async () => {} }
  const folder = resolve(dataDirectory)
  if (!hasEmbedded({ dataDirectory })) {
    throw new AdminError(
      `No database: DATABASE_URL is not set, and ${folder} (DATA_DIR) holds none. Run this with the variables of the service, or in its folder.`,
    )
  }
  const running = await findEmbedded({ dataDirectory })
  const name = `the embedded one in ${folder}`
  return running ? { url: running, name, stop: async () => {} } : { ...(await startEmbedded({ dataDirectory })), name }
}

/** Returns database, host and port as the driver reads them from the URL, with its defaults. */
function nameOf(url: string): string {
  const clients = urlsOf(url).map(connectionString => new pg.Client({ connectionString }))
  return `${clients[0]?.database} at ${clients.map(({ host, port }) => `${host}:${port}`).join(' or ')}`
}

async function open(url: string, fastPath: boolean): Promise<Database> {
  await migrate(url)
  const log = { warn: (_: object, message: string) => console.error(message) }
  const database = new Database({ url, pool: CONNECTIONS, log, fastPath })
  await database.open()
  return database
}

async function print(): Promise<void> {
  const config = loadConfig()
  const place = await locate(config)
  console.log(`Database: ${place.name}`)
  try {
    const database = await open(place.url, config.databaseFastPath)
    console.log(`Good once and for 30 minutes:\n${await firstAdminLink(database, config.appUrl)}`)
    await database.close()
  } finally {
    await place.stop()
  }
}

if (existsSync('.env')) process.loadEnvFile('.env')
try {
  await print()
} catch (thrown) {
  const error = asStartError(thrown as Error)
  const expected = [AdminError, ConfigError, EmbeddedError, DatabaseStartError].some(kind => error instanceof kind)
  console.error(expected ? error.message : error)
  process.exitCode = 1
}
