import { randomBytes } from 'node:crypto'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import pg from 'pg'
import { accountFor } from './embedded/account.ts'
import { prepareBinaries } from './embedded/binaries.ts'
import {
  checkData,
  createData,
  DATABASE,
  isEmpty,
  locateData,
  removeData,
  removeDrafts,
  USER,
} from './embedded/cluster.ts'
import { asEmbeddedError, EmbeddedError } from './embedded/errors.ts'
import { acquireLock } from './embedded/lock.ts'
import { portOf, type ServerOptions, startServer, stopOrphan } from './embedded/server.ts'

export { EmbeddedError, removeData }

const PASSWORD_BYTES = 24
const WRONG_PASSWORD = '28P01'

export interface EmbeddedOptions {
  /** Created when it is missing. The database is in its folder `postgres`, the log in `postgres.log`. */
  dataDirectory: string
  /** Called with a line of text before a step that takes long. */
  progress?: (line: string) => void
  /** PostgreSQL settings that override the defaults; for example, test data need not survive a crash. */
  settings?: Record<string, string>
}

export interface Embedded {
  url: string
  stop(): Promise<void>
}

/**
 * Starts a PostgreSQL server for this process on a free port of 127.0.0.1, with the data of the last run. First it
 * cleans up what a killed process left behind. Throws only `EmbeddedError`.
 */
export async function startEmbedded({
  dataDirectory,
  progress = () => {},
  settings = {},
}: EmbeddedOptions): Promise<Embedded> {
  const unlocks: (() => void)[] = []
  const unlock = () => {
    for (const release of unlocks.splice(0)) release()
  }
  try {
    const folder = prepareFolder(dataDirectory)
    unlocks.push(await acquireLock(folder))
    const account = accountFor(folder)
    const binaries = prepareBinaries({ dataDirectory: folder, account, progress })
    const data = locateData(folder, account)
    // A copied data directory links to the same database as the original, so the target is locked too.
    if (dirname(data) !== folder) unlocks.push(await acquireLock(dirname(data)))

    const server = { data, log: join(folder, 'postgres.log'), binaries, account, progress, settings }
    const password = await prepareData(server, join(folder, 'postgres.password'))
    await stopOrphan(server)
    const { port, stop } = await startServer(server)
    const url = urlOf(port, password)
    let stopping: Promise<void> | undefined
    const stopOnce = () => (stopping ??= stop().finally(unlock))
    await connectOnce(url, folder).catch(async error => {
      await stopOnce()
      throw error
    })
    return { url, stop: stopOnce }
  } catch (error) {
    unlock()
    throw asEmbeddedError(error, resolve(dataDirectory))
  }
}

/** Whether this data directory has an embedded database. */
export const hasEmbedded = ({ dataDirectory }: EmbeddedOptions): boolean =>
  existsSync(join(dataDirectory, 'postgres.password'))

/** Returns the URL of the server that another process runs on this data directory, or undefined when there is none. */
export async function findEmbedded({ dataDirectory }: EmbeddedOptions): Promise<string | undefined> {
  const port = portOf(join(dataDirectory, 'postgres'))
  if (port === undefined) return undefined
  const password = readFileSync(join(dataDirectory, 'postgres.password'), 'utf8').trim()
  const url = urlOf(port, password)
  return connectOnce(url, dataDirectory).then(
    () => url,
    () => undefined,
  )
}

const urlOf = (port: number, password: string): string =>
  `postgresql://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`

/**
 * Returns the password of the database; creates the database and the password when there are none. Throws
 * `EmbeddedError`.
 */
async function prepareData({ progress, ...place }: ServerOptions, passwordFile: string): Promise<string> {
  const { data, binaries, account } = place
  removeDrafts(data)
  if (isEmpty(data)) {
    progress(`Creating a database in ${data} …`)
    const password = randomBytes(PASSWORD_BYTES).toString('base64url')
    rmSync(passwordFile, { force: true })
    writeFileSync(passwordFile, password, { mode: 0o600 })
    await createData({ ...place, password })
    return password
  }
  checkData(data, binaries, account)
  if (existsSync(passwordFile)) return readFileSync(passwordFile, 'utf8').trim()
  throw new EmbeddedError(
    `${passwordFile}, the password of the database in ${data}, is missing: restore it, or move the database away to begin with an empty one.`,
  )
}

function prepareFolder(dataDirectory: string): string {
  mkdirSync(dataDirectory, { recursive: true })
  accessSync(dataDirectory, constants.R_OK | constants.W_OK | constants.X_OK)
  return realpathSync(dataDirectory)
}

async function connectOnce(url: string, folder: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'lintel-start' })
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    if ((error as { code?: string }).code !== WRONG_PASSWORD) throw error
    throw new EmbeddedError(
      `${join(folder, 'postgres.password')} is not the password of the database beside it: restore it, or move both away to begin with an empty database.`,
    )
  } finally {
    await client.end()
  }
}
