import { buildApp } from './app.ts'
import { ConfigError, loadConfig } from './config.ts'
import { migrate } from './database/migrate.ts'

const config = loadConfig()
const databaseUrl = config.databaseUrl as string
await migrate(databaseUrl)
const app = await buildApp({ ...config, databaseUrl })
await app.listen({ host: config.host, port: config.port })
void ConfigError
