import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const LOGS = '.data/bench-logs'
const START_MS = 20_000
const POLL_MS = 20
/** Linux reports CPU time in hundredths of a second. */
const MICROS_PER_TICK = 10_000
const KB_PER_MB = 1_024

/** A server under test, in its own process. */
export interface Server {
  name: string
  url: string
  child: ChildProcess
}

export async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  listener.close()
  return port
}

/** Starts `node …arguments` in `cwd` and waits until it answers; its output goes to a file. */
export async function startServer(
  name: string,
  args: string[],
  port: number,
  environment: object,
  cwd = process.cwd(),
): Promise<Server> {
  mkdirSync(LOGS, { recursive: true })
  const log = openSync(`${LOGS}/${name}.log`, 'w')
  const env = { ...process.env, ...environment, PORT: String(port) }
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', log, log] })
  process.once('exit', () => child.kill('SIGKILL'))
  const url = `http://127.0.0.1:${port}`
  for (const started = Date.now(); Date.now() - started < START_MS; await sleep(POLL_MS)) {
    if (child.exitCode !== null) break
    if (await answers(url)) return { name, url, child }
  }
  child.kill('SIGKILL')
  throw new Error(`${name} did not start: see ${LOGS}/${name}.log`)
}

const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/health/ready`).then(
    () => true,
    () => false,
  )

export async function stopServer({ child }: Server): Promise<void> {
  if (child.exitCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

/** Returns the CPU time of a process so far; undefined when there is no /proc or no such process. */
export function cpuMicros(pid: number | undefined): number | undefined {
  const [, fields] = readProc(pid, 'stat')?.split(') ') ?? []
  if (!fields) return undefined
  const [userTicks, systemTicks] = fields.split(' ').slice(11, 13)
  return (Number(userTicks) + Number(systemTicks)) * MICROS_PER_TICK
}

/** Returns the CPU time of a process and its children so far. */
export function treeMicros(pid: number): number {
  const isChild = (name: string) =>
    /^\d+$/.test(name) && readProc(Number(name), 'stat')?.split(') ')[1]?.split(' ')[1] === String(pid)
  const children = readdirSync('/proc').filter(isChild).map(Number)
  return [pid, ...children].reduce((sum, one) => sum + (cpuMicros(one) ?? 0), 0)
}

export function residentMb(pid: number | undefined): number | undefined {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readProc(pid, 'status') ?? '')?.[1]
  return kilobytes ? Number(kilobytes) / KB_PER_MB : undefined
}

function readProc(pid: number | undefined, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return undefined
  }
}
