import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { EmbeddedError } from './errors.ts'

/** The account that runs PostgreSQL when this process is root. */
export interface Account {
  name: string
  uid: number
  gid: number
}

const UNPRIVILEGED = ['nobody', 'daemon', 'postgres']
/**
 * Holds files that the account cannot reach in the data directory. Only root writes to it, and no clean-up job empties
 * it, unlike /var/tmp.
 */
const STORE = '/var/lib/lintel'
const WRITABLE_BY_OTHERS = 0o022

/**
 * PostgreSQL refuses to run as root. Returns the owner of its data, at first `nobody`; undefined when this process is
 * not root, and PostgreSQL runs as the same user. Throws `EmbeddedError` when there is no such account.
 */
export function accountFor(dataDirectory: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  const owner = statSync(join(dataDirectory, 'postgres'), { throwIfNoEntry: false })
  if (owner && owner.uid !== 0) return { name: `with id ${owner.uid}`, uid: owner.uid, gid: owner.gid }
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of UNPRIVILEGED) {
    const [, , uid, gid] = lines.find(line => line.startsWith(`${name}:`))?.split(':') ?? []
    // macOS writes the id of `nobody` as -2 here, but reports 4294967294 everywhere else.
    if (uid && gid) return { name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }
  }
  throw new EmbeddedError('PostgreSQL does not run as root: start Lintel as an ordinary user, or set DATABASE_URL.')
}

/** Spawn options that run the child as `account`. The system call takes signed numbers. */
export const identityOptions = (account: Account | undefined): { uid?: number; gid?: number } =>
  account ? { uid: account.uid | 0, gid: account.gid | 0 } : {}

/**
 * Whether the account may enter `folder` (a real path) and all its parents, by the permission bits that apply to it.
 */
export function canEnter(folder: string, account: Account): boolean {
  const { mode, uid, gid } = statSync(folder)
  const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001
  const parent = dirname(folder)
  return (mode & bit) !== 0 && (parent === folder || canEnter(parent, account))
}

/**
 * Returns the folder for files that the account must reach: `dataDirectory` when it can enter it, else a folder that
 * only root writes to. Throws `EmbeddedError`.
 */
export function reachableFolder(dataDirectory: string, account: Account | undefined): string {
  if (!account || canEnter(dataDirectory, account)) return dataDirectory
  // The umask of root may be too strict for the account.
  if (mkdirSync(STORE, { recursive: true })) chmodSync(STORE, 0o755)
  requireOwn(STORE)
  const store = realpathSync(STORE)
  if (canEnter(store, account)) return store
  throw new EmbeddedError(
    `PostgreSQL does not run as root, and the user ${account.name} can enter neither ${dataDirectory} nor ${STORE}: set DATA_DIR to a folder that it can enter, or DATABASE_URL.`,
  )
}

export const isInStore = (folder: string): boolean => existsSync(STORE) && dirname(folder) === realpathSync(STORE)

/** Throws `EmbeddedError` when another user owns `folder` or can write to it, since its files are executed. */
export function requireOwn(folder: string): void {
  if (process.platform === 'win32') return
  const found = lstatSync(folder)
  if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & WRITABLE_BY_OTHERS) === 0) return
  throw new EmbeddedError(
    `${folder} belongs to another user or can be written by one: make it your own (chown) and nobody else's to write (chmod go-w).`,
  )
}
