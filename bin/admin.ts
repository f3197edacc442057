import { existsSync } from 'node:fs'
import { type Config, ConfigError, loadConfig } from '../src/config.ts'
import { Database } from '../src/database/client.ts'
import { EmbeddedError, findEmbedded, startEmbedded } from '../src/database/embedded.ts'
import { migrate } from '../src/database/migrate.ts'
import { firstAdminLink } from '../src/domains/auth/service/first-admin.ts'

// Prints a link that makes an admin: for who has lost the one of the first start, or the last admin.
const CONNECTIONS = 2

/** The database of `DATABASE_URL`, of a Lintel that runs here, or of one that starts for this moment. */
async function openDatabase({ databaseUrl, dataDirectory }: Config) {
  const running = databaseUrl ?? (await findEmbedded({ dataDirectory }))
  const { url, stop } = running ? { url: running, stop: async () => {} } : await startEmbedded({ dataDirectory })
  await migrate(url)
  const database = new Database({ url, pool: CONNECTIONS, log: { warn: (_, message) => console.error(message) } })
  await database.open()
  const close = async () => {
    await database.close()
    await stop()
  }
  return { database, close }
}

async function print(): Promise<void> {
  const config = loadConfig()
  const { database, close } = await openDatabase(config)
  console.log(`Good once and for 30 minutes:\n${await firstAdminLink(database, config.appUrl)}`)
  await close()
}

if (existsSync('.env')) process.loadEnvFile('.env')
try {
  await print()
} catch (error) {
  const expected = error instanceof ConfigError || error instanceof EmbeddedError
  console.error(expected ? error.message : error)
  process.exitCode = 1
}
