import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 10
/** Position of the start time after the name in /proc/<pid>/stat (proc_pid_stat(5): field 22, the state being 3). */
const START_TIME = 19
/** Fast shutdown, immediate shutdown, and what nothing survives; each with the time it gets. */
const ENDING = [
  ['SIGINT', 15_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 5_000],
] as const

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return statOf(pid)[0] !== 'Z'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Tells a process from a later one with the same number; undefined where the system does not say. */
export function identityOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return ps(pid, 'lstart')
  const start = statOf(pid)[START_TIME]
  return start && `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${start}`
}

export function commandOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return ps(pid, 'command')
  return read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ')
}

/** Ends a PostgreSQL server in order, and by force when it does not listen. */
export async function endProcess(pid: number): Promise<void> {
  for (const [signal, boundMs] of ENDING) {
    try {
      process.kill(pid, signal)
    } catch {}
    for (let waitedMs = 0; waitedMs < boundMs; waitedMs += POLL_MS) {
      if (!isRunning(pid)) return
      await sleep(POLL_MS)
    }
  }
}

/** The fields from the state on; the name before them may hold spaces and parentheses. */
function statOf(pid: number): string[] {
  const stat = process.platform === 'linux' ? read(`/proc/${pid}/stat`) : undefined
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
}

function ps(pid: number, column: string): string | undefined {
  if (process.platform === 'win32') return undefined
  try {
    const output = execFileSync('ps', ['-ww', '-o', `${column}=`, '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return output.trim() || undefined
  } catch {
    return undefined
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
