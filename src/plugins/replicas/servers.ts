import { setTimeout as sleep } from 'node:timers/promises'
import { connectionOptions, type Database, poolOptions } from '../../database/client.ts'
import type { Executor } from '../../database/executor.ts'
import { Pipeline } from '../../database/fast-path/pipeline.ts'
import { ConnectionGate, gatedPool } from '../../database/gate.ts'
import type { Log } from '../../database/log.ts'
import { PlainStatements } from '../../database/plain.ts'
import type { Query } from '../../database/query.ts'
import { Servers } from '../../database/servers.ts'
import type { SingleStatements } from '../../database/single-statements.ts'
import { TracedStatements } from '../../database/traced.ts'
import type { Tracing } from '../../lib/tracing.ts'
import { type Position, replayed, written } from './queries.ts'

const LOOK_MS = 100
const RETRY_MS = 1_000
/** Positions of the primary that are remembered: those of the longest lag that may be allowed. */
const HISTORY = 100
/** Connections to a replica without the fast path. */
const PLAIN_CONNECTIONS = 4

interface ReplicasOptions {
  urls: string[]
  /** The most that a replica may lag (ms) to be asked. */
  lagMs: number
  fastPath: boolean
  log: Log
  tracing: Tracing | null
}

/** A server that repeats the changes of the primary, and how far it is. */
class Replica implements Executor {
  readonly #statements: SingleStatements
  readonly #primary: Database
  readonly #closing = new AbortController()
  #isAsked = false
  /** What it has repeated. */
  position = -1
  /** It has every change that was committed before this time (ms); until it says so, none. */
  currentAt = Number.NEGATIVE_INFINITY

  constructor(url: string, primary: Database, { fastPath, log, tracing }: ReplicasOptions) {
    const servers = new Servers(url)
    const statements = fastPath
      ? new Pipeline(connectionOptions(url), { servers, log })
      : new PlainStatements(
          gatedPool(
            { ...poolOptions(url, { fastPath }), max: PLAIN_CONNECTIONS },
            { servers, gate: new ConnectionGate(), log },
          ),
        )
    this.#primary = primary
    this.#statements = tracing ? new TracedStatements(statements, tracing) : statements
  }

  get coalesces(): boolean {
    return this.#primary.coalesces
  }

  run<Result>(query: Query<Result>): Promise<Result[]> {
    return this.#statements.read(query)
  }

  /** Connects in the background, again and again: a start does not need it. */
  async open(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted && !this.#statements.connected) {
      await this.#statements.open().catch(() => sleep(RETRY_MS, undefined, { signal }).catch(() => {}))
    }
  }

  /** Asks how far it is, unless it still owes an answer. */
  async look(history: readonly (Position & { at: number })[]): Promise<void> {
    if (this.#isAsked || !this.#statements.connected) return
    this.#isAsked = true
    try {
      const position = (await replayed(this, {}))?.position ?? -1
      this.position = position
      this.currentAt = history.findLast(known => known.position <= position)?.at ?? this.currentAt
    } catch {
      // It is away, and counts as late the longer it is.
    } finally {
      this.#isAsked = false
    }
  }

  close(): Promise<void> {
    this.#closing.abort()
    return this.#statements.close()
  }
}

/** The replicas of a database, of which those that lag too much or are away are not asked. */
export class Replicas {
  readonly #primary: Database
  readonly #replicas: Replica[]
  readonly #lagMs: number
  readonly #history: (Position & { at: number })[] = []
  #watch: NodeJS.Timeout | undefined
  #next = 0

  constructor(primary: Database, options: ReplicasOptions) {
    this.#primary = primary
    this.#lagMs = options.lagMs
    this.#replicas = options.urls.map(url => new Replica(url, primary, options))
  }

  open(): void {
    for (const replica of this.#replicas) void replica.open()
    this.#watch = setInterval(() => void this.#look(), LOOK_MS).unref()
  }

  /** How many may be asked now. */
  get usable(): number {
    return this.#current().length
  }

  /** Returns the replicas in turn that have repeated at least `position`; null when there is none. */
  choose(position: number): Executor | null {
    const able = this.#current().filter(replica => replica.position >= position)
    return able[this.#next++ % able.length] ?? null
  }

  /** Returns where the primary is: whoever has that has everything that was committed before the call. */
  async position(): Promise<number> {
    return (await written(this.#primary, {}))?.position ?? Number.POSITIVE_INFINITY
  }

  async close(): Promise<void> {
    clearInterval(this.#watch)
    await Promise.all(this.#replicas.map(replica => replica.close()))
  }

  #current(): Replica[] {
    const since = performance.now() - this.#lagMs
    return this.#replicas.filter(({ currentAt }) => currentAt >= since)
  }

  async #look(): Promise<void> {
    const at = performance.now()
    const looked = this.#replicas.map(replica => replica.look(this.#history))
    const position = await this.position().catch(() => undefined)
    if (position !== undefined) this.#history.push({ at, position })
    if (this.#history.length > HISTORY) this.#history.shift()
    await Promise.all(looked)
  }
}
