import { execFile } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { eventually } from '../helpers/mail.ts'
import { freePort } from '../helpers/ports.ts'
import { connect, freeze } from './postgres.ts'

const run = promisify(execFile)
const INSTALLED = '/usr/lib/postgresql'
const USER = 'postgres'

/** The folder of a complete PostgreSQL, newest first: the embedded one has no pg_dump and no pg_basebackup. */
const programs: string | undefined = (existsSync(INSTALLED) ? readdirSync(INSTALLED) : [])
  .toSorted((a, b) => Number(b) - Number(a))
  .map(version => join(INSTALLED, version, 'bin'))
  .find(folder => ['initdb', 'pg_basebackup', 'pg_restore'].every(name => existsSync(join(folder, name))))

/** Why tests with whole clusters are skipped, or false. */
export const withoutClusters = programs === undefined && `no pg_dump and pg_basebackup in ${INSTALLED}/*/bin`

/** PostgreSQL refuses to run as root. */
function identity(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find(line => line.startsWith(`${USER}:`))
  const [, , uid, gid] = (line as string).split(':').map(Number)
  return { uid: uid as number, gid: gid as number }
}

async function program(name: string, ...args: string[]): Promise<void> {
  await run(join(programs as string, name), args, {
    ...identity(),
    cwd: '/',
    env: { LC_ALL: 'C', PATH: process.env.PATH },
  })
}

function folderFor(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'lintel-cluster-'))
  const { uid, gid } = identity()
  if (uid !== undefined) chownSync(folder, uid, gid as number)
  chmodSync(folder, 0o700)
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

interface CreateOptions {
  idEpoch?: number
  settings?: string
  files?: Record<string, string>
}

/** A PostgreSQL cluster for one test, managed by PostgreSQL's own programs. */
export class Cluster {
  readonly #folder: string
  readonly #port: number
  readonly #settings: string
  #running = false

  private constructor(folder: string, port: number, settings = '') {
    this.#folder = folder
    this.#port = port
    this.#settings = settings
  }

  /**
   * Creates and starts a cluster; its transaction ids begin at `idEpoch` times 2^32. `settings` are arguments of the
   * server; `files` are put into its data folder.
   */
  static async create(t: Test, { idEpoch = 0, settings = '', files = {} }: CreateOptions = {}): Promise<Cluster> {
    const cluster = new Cluster(folderFor(t), await freePort(), settings)
    await program('initdb', '-D', cluster.#data, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N')
    if (idEpoch > 0) await program('pg_resetwal', '-e', String(idEpoch), '-D', cluster.#data)
    for (const [name, content] of Object.entries(files)) cluster.#write(name, content)
    await cluster.start(t)
    return cluster
  }

  /** Creates and starts a standby of this cluster. */
  async standby(t: Test): Promise<Cluster> {
    const cluster = new Cluster(folderFor(t), await freePort())
    await program(
      'pg_basebackup',
      '-D',
      cluster.#data,
      '-d',
      this.urlOf('postgres'),
      '-R',
      '-X',
      'stream',
      '-c',
      'fast',
    )
    await cluster.start(t)
    return cluster
  }

  /** The settings of a cluster that keeps its log for `recoveredTo` in `folder`. */
  static archivingTo(folder: string): string {
    return `-c archive_mode=on -c archive_command='cp %p ${folder}/%f'`
  }

  /** Makes a folder that the server may write to. */
  static archive(t: Test): string {
    return folderFor(t)
  }

  /** Takes a base backup; the returned function starts a copy that has what was committed up to `time`. */
  async backup(t: Test, archive: string): Promise<(time: string) => Promise<Cluster>> {
    const copy = new Cluster(folderFor(t), await freePort())
    await program('pg_basebackup', '-D', copy.#data, '-d', this.urlOf('postgres'), '-X', 'stream', '-c', 'fast')
    return async time => {
      await this.#ask('select pg_switch_wal()')
      copy.#write('recovery.signal', '')
      const recovery = `restore_command = 'cp ${archive}/%f %p'\nrecovery_target_time = '${time}'\n`
      copy.#write('postgresql.auto.conf', `${recovery}recovery_target_action = 'promote'\n`)
      await copy.start(t)
      await eventually(
        async () => (await copy.#ask('select not pg_is_in_recovery() as done'))[0]?.done,
        'the recovery has reached its target',
      )
      return copy
    }
  }

  async now(): Promise<string> {
    const [row] = await this.#ask('select clock_timestamp()::text as now')
    return row?.now as string
  }

  async start(t: Test, more = ''): Promise<void> {
    const settings = `-p ${this.#port} -k ${this.#folder} -c listen_addresses=127.0.0.1 -c fsync=off ${this.#settings} ${more}`
    await program('pg_ctl', '-D', this.#data, '-w', '-l', join(this.#folder, 'log'), '-o', settings, 'start')
    this.#running = true
    t.teardown(() => this.stop('immediate'))
  }

  #write(name: string, content: string): void {
    const path = join(this.#data, name)
    writeFileSync(path, content, { mode: 0o600 })
    const { uid, gid } = identity()
    if (uid !== undefined) chownSync(path, uid, gid as number)
  }

  /** `immediate` is a crash. */
  async stop(mode: 'fast' | 'immediate'): Promise<void> {
    if (!this.#running) return
    this.#running = false
    await program('pg_ctl', '-D', this.#data, '-w', '-m', mode, 'stop')
  }

  /** Stops all processes of the server (SIGSTOP), until the returned function is called. */
  freeze(): Promise<() => void> {
    return freeze(this.pid, this.urlOf('postgres'))
  }

  /** The first process of the running server. */
  get pid(): number {
    return Number(readFileSync(join(this.#data, 'postmaster.pid'), 'utf8').split('\n')[0])
  }

  /** Resolves when this standby has everything that `primary` has. */
  async caughtUp(primary: Cluster): Promise<void> {
    const [at] = await primary.#ask('select pg_current_wal_flush_lsn() as lsn')
    await eventually(
      async () => (await this.#ask(`select pg_last_wal_replay_lsn() >= '${at?.lsn}' as done`))[0]?.done,
      'the standby has caught up',
    )
  }

  async #ask(text: string): Promise<Record<string, unknown>[]> {
    const client = await connect(this.urlOf('postgres'))
    return (await client.query(text).finally(() => client.end())).rows
  }

  /** Promotes a standby; existing connections stay open. */
  promote(): Promise<void> {
    return program('pg_ctl', '-D', this.#data, '-w', 'promote')
  }

  /** Copies a database by pg_dump and pg_restore to `other`, under the same name. */
  async restoreTo(other: Cluster, database: string): Promise<void> {
    const dump = join(this.#folder, `${database}.dump`)
    await program('pg_dump', '-Fc', '-f', dump, '-d', this.urlOf(database))
    await program('pg_restore', '--create', '-d', other.urlOf('postgres'), dump).finally(() => rmSync(dump))
  }

  createDatabase(name: string): Promise<void> {
    return program('createdb', '-h', '127.0.0.1', '-p', String(this.#port), '-U', USER, name)
  }

  urlOf(database: string): string {
    return `postgres://${USER}@127.0.0.1:${this.#port}/${database}`
  }

  get #data(): string {
    return join(this.#folder, 'data')
  }
}
