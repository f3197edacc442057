import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Test } from 'tap'
import { isRunning } from '../../src/database/embedded/process.ts'
import { removeData, startEmbedded } from '../../src/database/embedded.ts'

const POLL_MS = 5
const ACCEPT_BOUND_MS = 30_000

/** Opens a connection for the test itself, which is not a target of the faults. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'fault-test' })
  client.on('error', () => {})
  await client.connect()
  return client
}

/** Creates an empty database on the server of `TEST_DATABASE_URL`, or on a new server. */
export async function emptyDatabase(t: Test): Promise<string> {
  const server = process.env.TEST_DATABASE_URL
  if (server === undefined) return (await startPostgres(t)).url
  const name = `fault_${randomUUID().replaceAll('-', '')}`
  await command(server, `create database ${name}`)
  t.teardown(() => command(server, `drop database if exists ${name} with (force)`))
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

async function command(server: string, text: string): Promise<void> {
  const client = await connect(server)
  await client.query(text).finally(() => client.end())
}

/** A PostgreSQL server for one test, which may stop, restart and freeze it. */
export interface Postgres {
  url: string
  /** `fast` ends sessions cleanly; `immediate` is a crash. Resolves when the server accepts connections again. */
  restart(mode: 'fast' | 'immediate'): Promise<void>
  /** Stops all processes of the server (SIGSTOP), until the returned function is called. */
  freeze(): Promise<() => void>
}

export async function startPostgres(t: Test): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), 'lintel-fault-postgres-'))
  // When the test runs as root, PostgreSQL runs as another user, who must be able to enter the folder.
  chmodSync(folder, 0o711)
  const embedded = await startEmbedded({ dataDirectory: folder })
  const { url } = embedded
  const data = join(folder, 'postgres')
  const pid = () => Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0])
  let own: ChildProcess | undefined
  t.teardown(async () => {
    if (own) await endServer(own.pid as number, 'SIGINT')
    await embedded.stop()
    removeData(folder)
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    url,
    async restart(mode) {
      await endServer(pid(), mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
      own = launch(data)
      await untilAccepting(url)
    },
    freeze: () => freeze(pid(), url),
  }
}

async function endServer(pid: number, signal: NodeJS.Signals): Promise<void> {
  process.kill(pid, signal)
  while (isRunning(pid)) await sleep(POLL_MS)
}

/** Uses the arguments of the last start, and so the same port. */
function launch(data: string): ChildProcess {
  const words = readFileSync(join(data, 'postmaster.opts'), 'utf8').trim()
  const [program, ...rest] = words.split(' "')
  const { uid, gid } = statSync(data)
  const identity = process.getuid?.() === 0 ? { uid: uid | 0, gid: gid | 0 } : {}
  const options = { stdio: 'ignore', detached: true, cwd: '/', env: { LC_ALL: 'C' }, ...identity } as const
  return spawn(
    program as string,
    rest.map(word => word.slice(0, -1)),
    options,
  )
}

async function untilAccepting(url: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < ACCEPT_BOUND_MS; waitedMs += POLL_MS) {
    const client = await connect(url).catch(() => undefined)
    if (client) return client.end()
    await sleep(POLL_MS)
  }
  throw new Error('PostgreSQL did not start again')
}

/** Freezes the postmaster first, so that it forks no more processes while the others are listed. */
export async function freeze(postmaster: number, url: string): Promise<() => void> {
  const witness = await connect(url)
  process.kill(postmaster, 'SIGSTOP')
  const { rows } = await witness.query<{ pid: number }>('select pid from pg_stat_activity')
  const pids = [postmaster, ...rows.map(row => row.pid)].filter(isRunning)
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  return () => {
    for (const pid of pids.filter(isRunning)) process.kill(pid, 'SIGCONT')
    witness.end()
  }
}
