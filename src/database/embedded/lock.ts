import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { EmbeddedError } from './errors.ts'
import { identityOf, isRunning } from './process.ts'

/** A lock that is being written is empty for some microseconds. */
const WRITING_MS = 100
/** More than two processes that meet at one stale lock. */
const ATTEMPTS = 5

/** Makes this process the only one that starts or stops the server of `folder`; a dead owner's lock is taken over. */
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

/** Removes the lock that was seen, and puts back one that somebody else took in the meantime. */
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

/** The living owner. Process numbers come back after a restart of the machine, and at once in a container. */
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
