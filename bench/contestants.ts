import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import { newId } from '../src/lib/ids.ts'
import type { Targets } from './seed.ts'
import { freePort, type Server, startServer } from './servers.ts'

const root = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))
const RATE_LIMIT = '1000000000'

export const startFloor = async (databaseUrl: string): Promise<Server> =>
  startServer('floor', [root('bench/floor.ts')], await freePort(), { DATABASE_URL: databaseUrl })

export interface Lintel {
  server: Server
  /** The environment of the server: another server started with it accepts the same tokens. */
  environment: Record<string, string>
  /** Returns a new token for each user. */
  tokens(targets: Targets): Map<string, string>
  close(): Promise<void>
}

/** Starts Lintel as in production, and an app in this process that signs tokens for it. */
export async function startLintel(databaseUrl: string, more: Record<string, string> = {}): Promise<Lintel> {
  const port = await freePort()
  const environment = {
    NODE_ENV: 'production',
    DATABASE_URL: databaseUrl,
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    JWT_SECRET: randomBytes(32).toString('hex'),
    ENCRYPTION_KEYS: randomBytes(32).toString('base64'),
    RATE_LIMIT,
    ...more,
  }
  const server = await startServer('lintel', [root('bin/lintel.mjs')], port, environment)
  const config = loadConfig({ ...environment, ROLE: 'api', LOG_LEVEL: 'silent' })
  const signer = await buildApp({ ...config, databaseUrl })
  return { server, environment, tokens: targets => sign(signer, targets), close: () => signer.close() }
}

function sign(app: FastifyInstance, { tasks, projects, pairs, hotPairs }: Targets): Map<string, string> {
  const users = new Set([...tasks, ...projects, ...pairs, ...hotPairs].map(target => target.userId))
  const token = (userId: string) => app.signAccessToken({ userId, sessionId: newId(), role: 'user' })
  return new Map([...users].map(userId => [userId, token(userId)]))
}
