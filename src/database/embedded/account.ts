import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { EmbeddedError } from './errors.ts'

/** Who runs PostgreSQL in root's place. */
export interface Account {
  name: string
  uid: number
  gid: number
}

const UNPRIVILEGED = ['nobody', 'daemon', 'postgres']
/** For what the account cannot reach in its place. Only root writes to it, and nobody cleans it up, unlike /var/tmp. */
const STORE = '/var/lib/lintel'
const WRITABLE_BY_OTHERS = 0o022

/** PostgreSQL refuses to run as root: it runs as the owner of its data, at first as `nobody`. Undefined: as ourselves. */
export function accountFor(dataDirectory: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  const owner = statSync(join(dataDirectory, 'postgres'), { throwIfNoEntry: false })
  if (owner && owner.uid !== 0) return { name: `with id ${owner.uid}`, uid: owner.uid, gid: owner.gid }
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of UNPRIVILEGED) {
    const [, , uid, gid] = lines.find(line => line.startsWith(`${name}:`))?.split(':') ?? []
    // macOS writes the id of `nobody` as -2, and says 4294967294 everywhere else.
    if (uid && gid) return { name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }
  }
  throw new EmbeddedError('PostgreSQL does not run as root: start Lintel as an ordinary user, or set DATABASE_URL.')
}

/** The part of the spawn options that drops root's rights; the system call takes signed numbers. */
export const identityOptions = (account: Account | undefined): { uid?: number; gid?: number } =>
  account ? { uid: account.uid | 0, gid: account.gid | 0 } : {}

/** Whether the account may pass `folder` (a real path) and everything above it, by the bits that apply to it. */
export function canEnter(folder: string, account: Account): boolean {
  const { mode, uid, gid } = statSync(folder)
  const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001
  const parent = dirname(folder)
  return (mode & bit) !== 0 && (parent === folder || canEnter(parent, account))
}

/** Where things go that the account must reach: `dataDirectory` when it can, else a folder that only root writes to. */
export function reachableFolder(dataDirectory: string, account: Account | undefined): string {
  if (!account || canEnter(dataDirectory, account)) return dataDirectory
  // The umask of root may be stricter than what the account needs.
  if (mkdirSync(STORE, { recursive: true })) chmodSync(STORE, 0o755)
  requireOwn(STORE)
  const store = realpathSync(STORE)
  if (canEnter(store, account)) return store
  throw new EmbeddedError(
    `PostgreSQL does not run as root, and the user ${account.name} can enter neither ${dataDirectory} nor ${STORE}: set DATA_DIR to a folder that it can enter, or DATABASE_URL.`,
  )
}

export const isInStore = (folder: string): boolean => existsSync(STORE) && dirname(folder) === realpathSync(STORE)

/** Refuses a folder that somebody else made or can change: what lies in it gets executed. */
export function requireOwn(folder: string): void {
  if (process.platform === 'win32') return
  const found = lstatSync(folder)
  if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & WRITABLE_BY_OTHERS) === 0) return
  throw new EmbeddedError(
    `${folder} belongs to another user or can be written by one: make it your own (chown) and nobody else's to write (chmod go-w).`,
  )
}
