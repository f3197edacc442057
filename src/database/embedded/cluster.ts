import { execFile } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { type Account, canEnter, identityOptions, isInStore, reachableFolder } from './account.ts'
import type { Binaries } from './binaries.ts'
import { EmbeddedError, isSpawnError } from './errors.ts'

export const DATABASE = 'lintel'
export const USER = 'lintel'
const READABLE_BY_OTHERS = 0o027
/**
 * Options of initdb. The locale is no language: text is sorted and indexed by code points, and upper and lower case
 * cover all of Unicode.
 */
const INITDB = [
  '--auth=scram-sha-256',
  `--username=${USER}`,
  '--encoding=UTF8',
  '--locale=C',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--no-instructions',
]

export interface NewData {
  data: string
  password: string
  binaries: Binaries
  account: Account | undefined
  log: string
}

const run = promisify(execFile)

/**
 * Returns the folder of the data: `postgres`, or the target of that link when the account cannot reach the data
 * directory. Throws `EmbeddedError`.
 */
export function locateData(dataDirectory: string, account: Account | undefined): string {
  const place = join(dataDirectory, 'postgres')
  const found = lstatSync(place, { throwIfNoEntry: false })
  if (!found) {
    const parent = reachableFolder(dataDirectory, account)
    if (parent !== dataDirectory) linkInto(parent, place)
  }
  const data = follow(place)
  if (account && !canEnter(dirname(data), account)) {
    throw new EmbeddedError(
      `PostgreSQL does not run as root, and the user ${account.name} cannot enter ${dirname(data)}: open the folders above it (chmod o+x), or set DATABASE_URL.`,
    )
  }
  return data
}

/** Deletes the database of a data directory, also when `postgres` is a link. */
export function removeData(dataDirectory: string): void {
  const place = join(dataDirectory, 'postgres')
  if (lstatSync(place, { throwIfNoEntry: false })) {
    const data = follow(place)
    rmSync(data, { recursive: true, force: true })
    if (isInStore(dirname(data))) rmSync(dirname(data), { recursive: true, force: true })
  }
  for (const name of ['', '.log', '.password']) rmSync(place + name, { force: true })
}

function linkInto(parent: string, place: string): void {
  const home = mkdtempSync(join(parent, 'data-'))
  chmodSync(home, 0o711)
  symlinkSync(join(home, 'postgres'), place)
}

function follow(place: string): string {
  if (!lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) return place
  const target = resolve(dirname(place), readlinkSync(place))
  if (existsSync(dirname(target))) return join(realpathSync(dirname(target)), basename(target))
  throw new EmbeddedError(
    `${place} links to ${target}, which is gone: restore it, or remove the link to begin with an empty database.`,
  )
}

export const isEmpty = (data: string): boolean => !existsSync(data) || readdirSync(data).length === 0

/**
 * Creates the database in a temporary folder and renames it when it is complete, so that an interrupted start leaves
 * nothing incomplete. Throws `EmbeddedError`.
 */
export async function createData({ data, password, binaries, account, log }: NewData): Promise<void> {
  const draft = mkdtempSync(join(dirname(data), 'postgres.new-'))
  const cluster = join(draft, 'data')
  const passwordFile = join(draft, 'password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (account) for (const path of [draft, passwordFile]) chownSync(path, account.uid, account.gid)

  const options = { cwd: draft, env: { LC_ALL: 'C' }, windowsHide: true, ...identityOptions(account) }
  try {
    await run(binaries.initdb, [...INITDB, `--pwfile=${passwordFile}`, `--pgdata=${cluster}`], options)
    const single = run(binaries.postgres, ['--single', '-D', cluster, 'postgres'], options)
    single.child.stdin?.end(`create database ${DATABASE}\n`)
    await single
  } catch (error) {
    if (isSpawnError(error)) throw error
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    appendFileSync(log, `${stdout}${stderr}`, { mode: 0o600 })
    throw new EmbeddedError(
      `PostgreSQL cannot create a database in ${data}, and ${log} says why: set DATA_DIR to another folder, or DATABASE_URL to a server.`,
      { cause: error },
    )
  }
  if (existsSync(data)) rmdirSync(data)
  renameSync(cluster, data)
  rmSync(draft, { recursive: true })
}

/** Deletes the temporary folders of interrupted starts. */
export function removeDrafts(data: string): void {
  const home = dirname(data)
  const drafts = readdirSync(home).filter(name => name.startsWith('postgres.new-'))
  for (const name of drafts) rmSync(join(home, name), { recursive: true, force: true, maxRetries: 5 })
}

/**
 * Checks owner, version and mode of the data. Throws an `EmbeddedError` with one sentence, where PostgreSQL would only
 * write to its log.
 */
export function checkData(data: string, { major }: Binaries, account?: Account): void {
  const { mode, uid } = statSync(data)
  const expected = account?.uid ?? process.getuid?.()
  if (expected !== undefined && uid !== expected) {
    throw new EmbeddedError(
      `The database in ${data} belongs to the user with id ${uid}, but PostgreSQL would run as ${expected}: start Lintel as its owner, or change the owner (chown -R ${expected}).`,
    )
  }
  const version = readVersion(data)
  if (version === undefined) {
    throw new EmbeddedError(
      `${data} is not a complete PostgreSQL database: restore it from a backup, or move it away to begin with an empty one.`,
    )
  }
  if (version !== major) {
    throw new EmbeddedError(
      `The database in ${data} was made by PostgreSQL ${version}, and this one is ${major}: set DATABASE_URL to a server of that version, or move the folder away to begin with an empty database.`,
    )
  }
  // PostgreSQL requires mode 0700, and copying or unpacking loses it.
  if (account === undefined && process.platform === 'win32') return
  if (mode & READABLE_BY_OTHERS) chmodSync(data, 0o700)
}

function readVersion(data: string): string | undefined {
  try {
    return readFileSync(join(data, 'PG_VERSION'), 'utf8').trim()
  } catch {
    return undefined
  }
}
