import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { EmbeddedError } from './errors.ts'
import { identityOf, isRunning } from './process.ts'

/** How long to wait for the content of an empty lock file: it is empty for some microseconds while it is written. */
const WRITING_MS = 100
/** Enough when more than two processes find the same stale lock. */
const ATTEMPTS = 5

/**
 * Makes this process the only one that starts or stops the server of `folder`; takes over the lock of a dead process.
 * Returns the function that releases the lock. Throws `EmbeddedError`.
 */
export async function acquireLock(folder: string): Promise<() => void> {
  const file = join(folder, 'postgres.lock')
  const own = JSON.stringify({ pid: process.pid, identity: identityOf(process.pid) })
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (create(file, own)) return () => release(file, own)
    const seen = read(file) || (await sleep(WRITING_MS, undefined).then(() => read(file)))
    if (seen === undefined) continue
    const pid = holderOf(seen)
    if (pid) {
      throw new EmbeddedError(
        `Another Lintel process (pid ${pid}) is using the database in ${folder}: stop it, or give this one another DATA_DIR.`,
      )
    }
    discard(file, seen)
  }
  throw new EmbeddedError(`Several processes want ${file} at once: start one of them again.`)
}

function create(file: string, own: string): boolean {
  try {
    writeFileSync(file, own, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/**
 * Removes the lock with the content `seen`. If another process has replaced it in the meantime, that lock is put back.
 */
function discard(file: string, seen: string): void {
  const aside = `${file}.${process.pid}`
  try {
    renameSync(file, aside)
  } catch {
    return
  }
  const moved = read(aside)
  if (moved !== undefined && moved !== seen) create(file, moved)
  rmSync(aside, { force: true })
}

function release(file: string, own: string): void {
  if (read(file) === own) rmSync(file, { force: true })
}

/**
 * Returns the pid of the owner when it is alive. The identity is compared too: pids are reused after a restart of the
 * machine, and in a container at once.
 */
function holderOf(text: string): number | undefined {
  try {
    const { pid, identity } = JSON.parse(text) as { pid: number; identity?: string }
    return isRunning(pid) && (identityOf(pid) ?? identity) === identity ? pid : undefined
  } catch {
    return undefined
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
