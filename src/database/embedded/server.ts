import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Account, identityOptions } from './account.ts'
import type { Binaries } from './binaries.ts'
import { EmbeddedError } from './errors.ts'
import { commandOf, endProcess } from './process.ts'

export interface ServerOptions {
  data: string
  log: string
  binaries: Binaries
  account: Account | undefined
  progress: (line: string) => void
  /** Override `SETTINGS`. */
  settings?: Record<string, string>
}

export interface Server {
  port: number
  stop(): Promise<void>
}

const POLL_MS = 10
/** Replaying a gigabyte of WAL after a crash takes most of a minute on a slow disk. */
const START_BOUND_MS = 180_000
const PATIENCE_MS = 3_000
const MAX_LOG_BYTES = 10 * 1024 * 1024
/**
 * The chosen port may be taken before the server binds it, and the child processes of a killed server need a moment to
 * end.
 */
const ATTEMPTS = 10
const RETRY_MS = 300
const PASSING_TROUBLE = /Address already in use|still in use|could not create any TCP\/IP sockets/
/** Line indexes in postmaster.pid. */
const PID_LINE = 0
const PORT_LINE = 3
const STATUS_LINE = 7

/** Passed on the command line, so that data created by an older Lintel runs with the settings of this version. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 100,
  shared_buffers: '128MB',
  max_wal_size: '1GB',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  password_encryption: 'scram-sha-256',
  timezone: 'UTC',
  log_timezone: 'UTC',
  logging_collector: 'off',
  log_checkpoints: 'off',
}

export async function startServer(options: ServerOptions): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const offset = openLog(options.log)
    const child = launch(options, port)
    if (await isReady(child, options)) return serve(child, port, options)
    const said = readFileSync(options.log).subarray(offset).toString()
    if (attempt === ATTEMPTS || !PASSING_TROUBLE.test(said)) {
      throw new EmbeddedError(
        `PostgreSQL cannot start on the data in ${options.data}, and ${options.log} says why: restore the data from a backup, or move them away to begin with an empty database.`,
      )
    }
    await sleep(RETRY_MS)
  }
}

/** Stops the server that a killed process left behind and removes its pid file. */
export async function stopOrphan({ data, binaries, progress }: ServerOptions): Promise<void> {
  const pid = Number(readPidFile(data)[PID_LINE])
  if (!pid) return
  if (process.platform === 'win32') return stopByControl(data, binaries)
  // The pid may belong to another program by now, and PostgreSQL would take that for its own server.
  const command = commandOf(pid) ?? ''
  if (command.includes('postgres') && command.includes(data)) {
    progress('Stopping the PostgreSQL that a killed process left behind …')
    await endProcess(pid)
  }
  rmSync(join(data, 'postmaster.pid'), { force: true })
}

function launch({ data, log, binaries, account, settings: own }: ServerOptions, port: number): ChildProcess {
  const settings = Object.entries({ ...SETTINGS, ...own, port }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const output = openSync(log, 'a')
  try {
    const child = spawn(binaries.postgres, ['-D', data, ...settings], {
      cwd: dirname(data),
      env: { LC_ALL: 'C' },
      stdio: ['ignore', output, output],
      // The server gets its own process group, so Ctrl-C reaches only this process, which then stops the server
      // cleanly.
      detached: true,
      windowsHide: true,
      ...identityOptions(account),
    })
    child.unref()
    return child
  } finally {
    closeSync(output)
  }
}

/**
 * Resolves with true when the server accepts connections, with false when it has ended or takes longer than
 * `START_BOUND_MS`.
 */
async function isReady(child: ChildProcess, { data, log, progress }: ServerOptions): Promise<boolean> {
  let failure: Error | undefined
  child.on('error', error => {
    failure = error
  })
  for (let waitedMs = 0; waitedMs < START_BOUND_MS; waitedMs += POLL_MS) {
    if (failure) throw failure
    if (child.exitCode !== null || child.signalCode !== null) return false
    const lines = readPidFile(data)
    if (Number(lines[PID_LINE]) === child.pid && lines[STATUS_LINE]?.trim() === 'ready') return true
    if (waitedMs === PATIENCE_MS) progress(`PostgreSQL is still starting; ${log} says what it does …`)
    await sleep(POLL_MS)
  }
  await endProcess(child.pid as number)
  return false
}

function serve(child: ChildProcess, port: number, { data, binaries }: ServerOptions): Server {
  const pid = child.pid as number
  const isOver = () => child.exitCode !== null || child.signalCode !== null
  // Also stops the server when this process ends by process.exit().
  const onExit = () => {
    if (!isOver()) process.kill(pid, 'SIGINT')
  }
  process.once('exit', onExit)
  return {
    port,
    async stop() {
      process.off('exit', onExit)
      if (isOver()) return
      child.ref()
      const over = once(child, 'exit')
      await (process.platform === 'win32' ? stopByControl(data, binaries) : endProcess(pid))
      await over
    },
  }
}

/** Windows has no signals, so pg_ctl stops the server there. */
async function stopByControl(data: string, { control }: Binaries): Promise<void> {
  await promisify(execFile)(control, ['stop', '-D', data, '-m', 'fast'], { windowsHide: true }).catch(() => {})
}

/** Returns the size of the log; empties it first when it is larger than 10 MB. */
function openLog(log: string): number {
  const size = statSync(log, { throwIfNoEntry: false })?.size ?? 0
  const flags = size > MAX_LOG_BYTES ? 'w' : 'a'
  closeSync(openSync(log, flags, 0o600))
  return flags === 'w' ? 0 : size
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

/** Returns the port of the server that runs on these data, or of the last one that was killed. */
export const portOf = (data: string): number | undefined => Number(readPidFile(data)[PORT_LINE]) || undefined

function readPidFile(data: string): string[] {
  try {
    return readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return []
  }
}
