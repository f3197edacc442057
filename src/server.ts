import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { buildApp } from './app.ts'
import { type Config, ConfigError, loadConfig } from './config.ts'
import type { Database } from './database/client.ts'
import { type Embedded, EmbeddedError, startEmbedded } from './database/embedded.ts'
import { asStartError, DatabaseStartError, migrate } from './database/migrate.ts'
import { loadDemo } from './demo.ts'
import { firstAdminLink } from './domains/auth/service/first-admin.ts'
import { demoTaskId } from './domains/tasks/demo.ts'
import { hasAdmin } from './domains/users/queries/admins.ts'
import { EPOCH_BEGAN } from './events/epoch.ts'
import { demoKey, demoUser } from './lib/demo.ts'

/** The time limit of an orderly shutdown; what still runs then is cut off. */
const STOP_MS = 25_000

/** The message is one sentence for the operator; any other error is a bug. */
class StartError extends Error {}

const say = (line: string): void => void process.stderr.write(`${line}\n`)

async function start(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env')
  const config = loadConfig()
  if (process.argv.includes('--check')) return say('The configuration is complete.')
  const embedded =
    config.databaseUrl === null ? await startEmbedded({ dataDirectory: config.dataDirectory, progress: say }) : null
  try {
    await startApp(config, embedded)
  } catch (error) {
    await embedded?.stop()
    throw error
  }
}

async function startApp(config: Config, embedded: Embedded | null): Promise<void> {
  const databaseUrl = embedded?.url ?? (config.databaseUrl as string)
  const { epochBegan } = await migrate(databaseUrl)
  const app = await buildApp({ ...config, databaseUrl })
  if (epochBegan) app.log.info(EPOCH_BEGAN)
  try {
    const demo = embedded !== null && config.environment === 'development'
    if (demo) await loadDemo(app)
    await app.ready()
    globalThis.gc?.()
    stopOnSignal(app, config, embedded)
    if (config.serves) await app.listen({ host: config.host, port: config.port })
    if (!config.production && config.serves) say(banner(config, demo))
    if (config.serves)
      await invite(app.database, config).catch(err => app.log.warn({ err }, 'no link for a first admin'))
  } catch (error) {
    await app.close()
    throw sentenceOf(error as NodeJS.ErrnoException, config)
  }
}

/**
 * Prints the link that makes the first admin, since nobody else can make one. It is not logged, because many people may
 * read a log.
 */
async function invite(database: Database, { appUrl }: Config): Promise<void> {
  if ((await hasAdmin(database, {}))?.present) return
  say(`No admin yet. This link makes one, once and within 30 minutes: ${await firstAdminLink(database, appUrl)}`)
}

function sentenceOf(error: NodeJS.ErrnoException, { host, port }: Config): Error {
  if (error.code === 'EADDRINUSE') return new StartError(`Port ${port} is taken: stop the other program, or set PORT.`)
  if (error.code === 'EACCES') return new StartError(`Port ${port} needs more rights: set PORT to 1024 or above.`)
  if (error.code === 'EADDRNOTAVAIL') return new StartError(`This machine has no address ${host}: set HOST.`)
  return error
}

function banner({ publicUrl, dataDirectory, smtpUrl }: Config, demo: boolean): string {
  const token = demo ? demoKey : '<access token>'
  const path = demo ? `tasks/${demoTaskId}` : 'users/me'
  return `
Lintel is running.

  API       ${publicUrl}/api/v1
  Docs      ${publicUrl}/docs
  Health    ${publicUrl}/health/ready
  Metrics   ${publicUrl}/metrics
${smtpUrl === null ? `  Mailbox   ${publicUrl}/dev/mail\n` : ''}${
  demo ? `\n  Demo user   ${demoUser.email}   password ${demoUser.password}\n  Demo token  ${demoKey}\n` : ''
}
Try it:
  curl -H 'Authorization: Bearer ${token}' ${publicUrl}/api/v1/${path}

Ctrl-C stops it${demo ? `; the data stays in ${dataDirectory}/` : ''}.
`
}

function stopOnSignal(app: FastifyInstance, { drainDelayMs }: Config, embedded: Embedded | null): void {
  let stopping = false
  const stop = async (exitCode: number): Promise<void> => {
    setTimeout(() => process.exit(1), STOP_MS).unref()
    app.stopReadiness()
    await sleep(drainDelayMs)
    await app.close()
    await embedded?.stop()
    process.exit(exitCode)
  }
  const stopOnce = (exitCode: number) => {
    if (stopping) return
    stopping = true
    stop(exitCode).catch(() => process.exit(1))
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stopOnce(0))
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    process.on(event, error => {
      app.log.fatal({ err: error }, event)
      stopOnce(1)
    })
  }
}

start().catch((thrown: Error) => {
  const error = asStartError(thrown)
  const expected = [StartError, ConfigError, EmbeddedError, DatabaseStartError].some(kind => error instanceof kind)
  say(expected ? error.message : (error.stack ?? String(error)))
  process.exit(1)
})
