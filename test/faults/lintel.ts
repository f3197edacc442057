import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { freePort } from '../helpers/ports.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const READY_BOUND_MS = 30_000
const EXIT_BOUND_MS = 30_000
const POLL_MS = 20
/** Processes that run one after another, or at once, must accept the same tokens. */
const PUBLIC_URL = 'http://lintel.test'
const JWT_SECRET = 'Zq3-fault-tests-only-8fKx-Wm27-pL0v-Ty5c'
const ENCRYPTION_KEYS = 'pM3vX0m5n1m8Jr0yq2c7F4tZs6Qe9WbLhUdKiGoAxYk='
const PINO_ERROR = 50

interface Options {
  databaseUrl: string
  port?: number
  env?: Record<string, string>
  /** The arguments of Node, run in the root of the project. */
  args?: string[]
}

/** A process of the real server, as it runs in production. */
export interface Lintel {
  base: string
  port: number
  pid: number
  /** The folder that mails are stored in. */
  dataDirectory: string
  alive(): boolean
  ready(): Promise<boolean>
  whenReady(): Promise<void>
  /** Ends the process; returns its exit code, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | string>
  /** Everything it has written so far. */
  log(): string
  /** Lines that show a bug: not written by pino, or at level error and above. */
  faults(): string[]
  residentMb(): number
}

/** Starts the process without waiting; `whenReady` waits. */
export async function launchLintel(
  t: Test,
  { databaseUrl, port, env = {}, args = ['bin/lintel.mjs'] }: Options,
): Promise<Lintel> {
  const folder = mkdtempSync(join(tmpdir(), 'lintel-fault-'))
  const chosen = port ?? (await freePort())
  const base = `http://127.0.0.1:${chosen}`
  const log = join(folder, 'log')
  const output = openSync(log, 'a')
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ['ignore', output, output],
    env: {
      NODE_ENV: 'production',
      PUBLIC_URL,
      JWT_SECRET,
      ENCRYPTION_KEYS,
      DATABASE_URL: databaseUrl,
      DATA_DIR: folder,
      PORT: String(chosen),
      RATE_LIMIT: '1000000000',
      // A process without CPU time on a busy machine must not refuse the requests of a test.
      MAX_EVENT_LOOP_DELAY_MS: '60000',
      UNVERIFIED_LOGIN: 'true',
      LOG_LEVEL: 'warn',
      ...env,
    },
  })
  closeSync(output)
  t.teardown(async () => {
    await end(child, 'SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  const alive = () => child.exitCode === null && child.signalCode === null
  const ready = () => isReady(base)
  return {
    base,
    port: chosen,
    pid: child.pid as number,
    dataDirectory: folder,
    alive,
    ready,
    async whenReady() {
      for (let waitedMs = 0; waitedMs < READY_BOUND_MS; waitedMs += POLL_MS) {
        if (await ready()) return
        if (!alive()) break
        await sleep(POLL_MS)
      }
      throw new Error(`the server did not become ready: ${readFileSync(log, 'utf8')}`)
    },
    end: signal => end(child, signal),
    log: () => readFileSync(log, 'utf8'),
    faults: () => readFileSync(log, 'utf8').split('\n').filter(isFault),
    residentMb: () => residentMb(child.pid as number),
  }
}

export async function startLintel(t: Test, options: Options): Promise<Lintel> {
  const lintel = await launchLintel(t, options)
  await lintel.whenReady()
  return lintel
}

/** Returns the exit code and the output of `--check`. */
export function checkLintel(
  env: Record<string, string>,
  { args = ['src/server.ts'], cwd = ROOT } = {},
): Promise<{ code: unknown; said: string }> {
  return new Promise(resolve =>
    execFile(process.execPath, [...args, '--check'], { cwd, env }, (error, _, stderr) =>
      resolve({ code: error?.code ?? 0, said: stderr }),
    ),
  )
}

async function isReady(base: string): Promise<boolean> {
  try {
    const answer = await fetch(`${base}/health/ready`, { headers: { connection: 'close' } })
    await answer.arrayBuffer()
    return answer.ok
  } catch {
    return false
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | string> {
  if (child.exitCode === null && child.signalCode === null) {
    const over = once(child, 'exit', { signal: AbortSignal.timeout(EXIT_BOUND_MS) })
    child.kill(signal)
    await over
  }
  return child.exitCode ?? (child.signalCode as string)
}

/** The line that the first start prints for the operator. */
const INVITATION = 'No admin yet.'

function isFault(line: string): boolean {
  if (line === '' || line.startsWith(INVITATION)) return false
  try {
    return JSON.parse(line).level >= PINO_ERROR
  } catch {
    return true
  }
}

function residentMb(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) / 1024
}
