import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import { removeData, startEmbedded } from '../src/database/embedded.ts'
import { migrate } from '../src/database/migrate.ts'

// Prints the OpenAPI document of this version. It starts the app on a new, empty database.
const TRAVERSABLE = 0o711

const dataDirectory = mkdtempSync(join(tmpdir(), 'lintel-openapi-'))
chmodSync(dataDirectory, TRAVERSABLE)
try {
  const { url, stop } = await startEmbedded({ dataDirectory })
  await migrate(url)
  const app = await buildApp({ ...loadConfig({ ...process.env, LOG_LEVEL: 'silent', ROLE: 'api' }), databaseUrl: url })
  await app.ready()
  process.stdout.write(`${JSON.stringify(app.openapi(), null, 2)}\n`)
  await app.close()
  await stop()
} finally {
  removeData(dataDirectory)
  rmSync(dataDirectory, { recursive: true, force: true })
}
