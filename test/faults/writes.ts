import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { Test } from 'tap'
import type { Client } from './client.ts'
import { connect } from './postgres.ts'
import type { Random } from './random.ts'

const BULK = 5
/** Few enough that changes meet on one row, enough that they do not only wait for each other. */
const CHANGED = 50

/** Records everything that clients wrote and what they were answered, to compare it with the database at the end. */
export class Writes {
  readonly #client: Client
  readonly #projectId: string
  readonly #random: Random
  /** Titles that the server confirmed; a title without a key was sent only once. */
  readonly #acknowledged = new Map<string, string>()
  readonly #changed: string[] = []
  readonly #bulks = new Map<string, boolean>()
  readonly #changes = new Map<string, number>()

  constructor(client: Client, projectId: string, random: Random) {
    this.#client = client
    this.#projectId = projectId
    this.#random = random
  }

  get acknowledged(): number {
    return this.#acknowledged.size
  }

  /** Does one of the four kinds of writes. */
  async any(): Promise<void> {
    const kinds = [this.create, this.createOnce, this.change, this.createBulk]
    await this.#random.pick(kinds).call(this)
  }

  async create(): Promise<void> {
    const title = randomUUID()
    const answer = await this.#client.call({ method: 'POST', path: this.#path, body: { title } })
    if (answer?.status === 201) this.#acknowledge(title, JSON.parse(answer.body).id)
  }

  /** Creates a task with a key and repeats until it succeeds. */
  async createOnce(): Promise<void> {
    const title = randomUUID()
    const answer = await this.#client.insist({ method: 'POST', path: this.#path, body: { title }, key: title })
    if (answer.status === 201) this.#acknowledge(title, JSON.parse(answer.body).id)
  }

  async change(): Promise<void> {
    const id = this.#random.pick(this.#changed)
    if (id === undefined) return this.create()
    const answer = await this.#client.call({ method: 'PATCH', path: `/tasks/${id}`, body: { priority: 1 } })
    if (answer?.status === 200) this.#changes.set(id, (this.#changes.get(id) ?? 0) + 1)
  }

  async read(): Promise<void> {
    const id = this.#random.pick(this.#changed)
    await this.#client.call({ method: 'GET', path: id === undefined ? this.#path : `/tasks/${id}` })
  }

  async createBulk(): Promise<void> {
    const prefix = randomUUID()
    const tasks = Array.from({ length: BULK }, (_, n) => ({ title: `${prefix} ${n}` }))
    const answer = await this.#client.call({ method: 'POST', path: `${this.#path}/bulk`, body: { tasks } })
    this.#bulks.set(prefix, answer?.status === 201)
  }

  /** As `verify`, over a connection of its own. */
  async verifyAt(t: Test, url: string): Promise<void> {
    const database = await connect(url)
    await this.verify(t, database).finally(() => database.end())
  }

  /** Checks that there is no half write, and that every confirmed write exists exactly once. */
  async verify(t: Test, database: pg.Client): Promise<void> {
    for (const [sentence, query] of Object.entries(NOTHING_HALF)) {
      const { rows } = await database.query(query)
      t.strictSame(rows, [], sentence)
    }
    const { rows } = await database.query<{ id: string; title: string; version: number }>(
      'select id, title, version from tasks',
    )
    const byTitle = Map.groupBy(rows, row => row.title)
    const repeated = [...byTitle].filter(([, copies]) => copies.length > 1)
    t.strictSame(repeated, [], 'no write took effect twice')
    const lost = [...this.#acknowledged].filter(([title, id]) => byTitle.get(title)?.[0]?.id !== id)
    t.strictSame(lost, [], `each of ${this.acknowledged} acknowledged tasks is there`)

    const stored = ([prefix]: [string, boolean]) =>
      Array.from({ length: BULK }, (_, n) => byTitle.has(`${prefix} ${n}`)).filter(Boolean).length
    const torn = [...this.#bulks].filter(bulk => stored(bulk) !== BULK && (bulk[1] || stored(bulk) !== 0))
    t.strictSame(torn, [], `each of ${this.#bulks.size} bulks is there whole, or not at all and not acknowledged`)

    const versions = new Map(rows.map(row => [row.id, row.version]))
    const undone = [...this.#changes].filter(([id, times]) => (versions.get(id) ?? 0) < times + 1)
    t.strictSame(undone, [], `each change of ${this.#changes.size} tasks is there`)
  }

  #acknowledge(title: string, id: string): void {
    this.#acknowledged.set(title, id)
    if (this.#changed.length < CHANGED) this.#changed.push(id)
  }

  get #path(): string {
    return `/projects/${this.#projectId}/tasks`
  }
}

/** Statements that return no rows when every write is complete. */
const NOTHING_HALF = {
  'every task has exactly one task.created event': `
    select t.id, count(e.id)::int as created from tasks t
    left join events e on e.target_id = t.id and e.type = 'task.created'
    group by t.id having count(e.id) <> 1`,
  'every task.created event has its task': `
    select e.id from events e where e.type = 'task.created'
      and not exists (select from tasks t where t.id = e.target_id)`,
  'every version has exactly one event': `
    select t.id, t.version, count(e.id)::int as events from tasks t join events e on e.target_id = t.id
    group by t.id having count(e.id) <> t.version`,
}
