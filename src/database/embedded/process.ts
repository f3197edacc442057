import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 10
/**
 * Index of the start time, counted from the state, in /proc/<pid>/stat (proc_pid_stat(5): field 22; the state is field
 * 3).
 */
const START_TIME = 19
/** The signals for fast shutdown, immediate shutdown and kill, each with how long (ms) to wait for the end. */
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

/** Returns text that differs between two processes with the same pid; undefined where the system does not tell. */
export function identityOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return ps(pid, 'lstart')
  const start = statOf(pid)[START_TIME]
  return start && `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${start}`
}

export function commandOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return ps(pid, 'command')
  return read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ')
}

/** Stops a PostgreSQL server: fast shutdown first, then stronger signals while it still runs. */
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

/** Returns the fields from the state on. The name before them may contain spaces and parentheses. */
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
