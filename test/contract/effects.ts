import { eventTypes } from '../../src/events/registry.ts'
import { sha256 } from '../../src/lib/crypto.ts'
import type { Effects } from '../../src/plugins/effects.ts'
import type { Answer } from '../helpers/call.ts'
import { type Change, type ChangeLog, JOBS } from './changes.ts'
import type { Json, Operation } from './specification.ts'

/** A write that has succeeded. */
export interface Write {
  operation: Operation
  params: Record<string, string>
  body: Json
  /** The caller; null when the route is public. */
  caller: { id: string; email: string; sessionId: string } | null
  answer: Answer
  effects: Effects
}

/** Matches what identifies a row or a person: an id, a hash, an address. */
const REFERENCE = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\\x[0-9a-f]+|[^\s"]+@[^\s"]+|0x[0-9a-fA-F]{40}/g
const SECRET = /[\w.-]{16,}/g
const targets = () => new Set([...eventTypes.values()].map(type => type.target))

const snakeCase = (collection: string) => collection.replaceAll('-', '_')
const singular = (table: string) => table.replace(/ies$/, 'y').replace(/s$/, '')
const verbOf = ({ before, after }: Change) => (before === null ? 'inserts' : after === null ? 'deletes' : 'updates')

/** Returns what is wrong with what a write has written; each message says what to do. */
export function faultsOf(log: ChangeLog, write: Write, made: Change[]): string[] {
  const rows = made.filter(({ table }) => table !== 'events' && table !== 'idempotency_keys')
  const events = made.filter(({ table }) => table === 'events').map(({ after }) => after)
  const judge = new Judge(log, write, rows)
  return [
    ...(made.length === 0 ? ['changes nothing'] : []),
    ...judge.rowFaults(),
    ...judge.eventFaults(events),
    ...judge.declarationFaults(),
  ]
}

class Judge {
  readonly #log: ChangeLog
  readonly #write: Write
  readonly #rows: Change[]
  /** Rows that the request may write, except those changed by a foreign key. */
  readonly #direct: Change[]
  readonly #dependants: Change[]

  constructor(log: ChangeLog, write: Write, rows: Change[]) {
    this.#log = log
    this.#write = write
    this.#rows = rows
    const addressed = this.#addressed()
    const own = rows.filter(row => addressed(row))
    this.#dependants = this.#takenAlong(own)
    const declared = new Set(write.effects.affects)
    const linked = this.#linked(own)
    const others = rows.filter(
      row => declared.has(row.table) && !own.includes(row) && !this.#dependants.includes(row) && linked(row),
    )
    this.#direct = [...own, ...others]
  }

  rowFaults(): string[] {
    const declared = new Set(this.#write.effects.affects)
    return this.#rows
      .filter(row => !this.#direct.includes(row) && !this.#dependants.includes(row))
      .map(row => {
        const what = `${verbOf(row)} ${row.table} ${this.#log.keyOf(row).join(' ')}`
        if (declared.has(row.table)) return `${what}, a row that has nothing to do with the request`
        return `${what}: if the route is meant to, its config says affects: ['${row.table}']`
      })
  }

  declarationFaults(): string[] {
    const { affects = [], records = [] } = this.#write.effects
    const isTable = (name: string) => this.#log.tables.has(name) || name === JOBS
    return [
      ...affects.filter(name => !isTable(name)).map(name => `affects ${name}, which is no table`),
      ...records.filter(type => !eventTypes.has(type)).map(type => `records ${type}, which no domain declares`),
    ]
  }

  eventFaults(events: Json[]): string[] {
    const { records } = this.#write.effects
    const keys = events.map(event => `${event.type} ${event.target_id}`)
    return [
      ...keys.filter((key, at) => keys.indexOf(key) !== at).map(key => `records ${key} twice`),
      ...(records ? this.#asDeclared(events, records) : this.#oneEach(events)),
      ...events.flatMap(event => this.#misattributed(event)),
    ]
  }

  #asDeclared(events: Json[], records: readonly string[]): string[] {
    const types = new Set(events.map(({ type }) => type))
    return [
      ...[...types].filter(type => !records.includes(type)).map(type => `records ${type}, which it does not declare`),
      ...records.filter(type => !types.has(type)).map(type => `does not record ${type}`),
    ]
  }

  /** Checks that there is one event for each row that events describe. */
  #oneEach(events: Json[]): string[] {
    const known = targets()
    const logged = this.#direct.filter(({ table }) => known.has(singular(table)))
    const isOf = (row: Change) => (event: Json) =>
      event.target_type === singular(row.table) && event.target_id === this.#log.keyOf(row).at(-1)
    const hint = 'if that is right, the config of the route says which it records: records: [types]'
    const missing = logged.flatMap(row => {
      const count = events.filter(isOf(row)).length
      return count === 1 ? [] : [`${verbOf(row)} ${row.table} with ${count} events; ${hint}`]
    })
    const strays = events.filter(event => !logged.some(row => isOf(row)(event)))
    return [...missing, ...strays.map(event => `records ${event.type} of a row that it does not change; ${hint}`)]
  }

  #misattributed({ type, target_type, target_id, organization_id, actor_id }: Json): string[] {
    const { caller, effects } = this.#write
    const isOwn = effects.bySystem?.includes(type) ? actor_id === null : actor_id === caller?.id
    const row = this.#rows.find(row => singular(row.table) === target_type && this.#log.keyOf(row).at(-1) === target_id)
    const { organization_id: owner, id } = row?.after ?? row?.before ?? { organization_id: organization_id }
    const organization = target_type === 'organization' ? id : (owner ?? null)
    return [
      ...(organization === organization_id ? [] : [`records ${type} for another organization`]),
      ...(caller && !isOwn ? [`records ${type} as done by ${actor_id}`] : []),
    ]
  }

  /**
   * Returns whether a row is one that path or response names: of the last table in the path, by the id after it or in
   * the response.
   */
  #addressed(): (row: Change) => boolean {
    const { operation, params, answer, caller } = this.#write
    const segments = operation.path.split('/').slice(1)
    const at = segments.findLastIndex(segment => this.#log.tables.has(snakeCase(segment)))
    if (at === -1) return () => false
    const table = snakeCase(segments[at] as string)
    const next = segments[at + 1] ?? ''
    const name = /^\{(\w+)\}$/.exec(next)?.[1]
    const answered = [answer.body, ...(answer.body?.data ?? [])].map(item => item?.id)
    const ids = new Set(name ? [params[name]] : next === 'me' ? [caller?.id] : answered)
    const around = new Set(Object.values(params))
    return row => {
      const key = this.#log.keyOf(row)
      return row.table === table && ids.has(key.at(-1)) && key.slice(0, -1).every(part => around.has(part))
    }
  }

  /** Returns the rows that foreign keys change when rows are deleted. */
  #takenAlong(own: Change[]): Change[] {
    const gone = own.filter(({ after }) => after === null)
    const found: Change[] = []
    for (const parent of gone) {
      const ids = new Set(this.#log.keyOf(parent))
      const tables = this.#log.dependantsOf(parent.table)
      for (const row of this.#rows) {
        if (gone.includes(row) || found.includes(row) || !tables.has(row.table)) continue
        if (!Object.values(row.before ?? {}).some(value => ids.has(value as string))) continue
        found.push(row)
        if (row.after === null) gone.push(row)
      }
    }
    return found
  }

  /**
   * Returns whether a row refers to the request: by an id, address or secret of path, body or response, by the caller,
   * or by what a row with the secret names. The organization alone does not count, unless it is what is written, or the
   * row is the one that an organization has in its table, as a counter is.
   */
  #linked(own: Change[]): (row: Change) => boolean {
    const { params, body, caller, answer } = this.#write
    const given = JSON.stringify([params, body ?? null, caller, answer.text, answer.headers.location ?? null])
    const secrets = new Set((given.match(SECRET) ?? []).map(secret => `\\x${sha256(secret).toString('hex')}`))
    const opened = this.#rows.flatMap(row => {
      const references = referencesIn(row)
      return references.some(reference => secrets.has(reference)) ? references : []
    })
    const about = new Set([...(given.toLowerCase().match(REFERENCE) ?? []), ...opened])
    const written = new Set(own.flatMap(row => this.#log.keyOf(row)))
    return row => {
      const organization = (row.after ?? row.before).organization_id
      if (row.before === null) return organization === undefined || about.has(organization)
      if (this.#log.keyOf(row).at(-1) === organization)
        return own.some(({ before, after }) => (after ?? before).organization_id === organization)
      const named = referencesIn(row).filter(reference => about.has(reference))
      return named.some(reference => reference !== organization || written.has(reference))
    }
  }
}

const referencesIn = ({ before, after }: Change): string[] =>
  JSON.stringify(after ?? before)
    .replaceAll('\\\\x', '\\x')
    .toLowerCase()
    .match(REFERENCE) ?? []
