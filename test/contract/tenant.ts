import { scopeNames } from '../../src/lib/access.ts'
import { newId } from '../../src/lib/ids.ts'
import { createKey } from '../helpers/actors.ts'
import type { TestApp } from '../helpers/app.ts'
import type { Answer, Credentials } from '../helpers/call.ts'
import type { ChangeLog } from './changes.ts'
import type { Client } from './client.ts'
import type { Json, Operation, Specification } from './specification.ts'
import { ROLES, World } from './world.ts'

type Params = Record<string, string>
/** The number of rows in the place that is read, and beside it. */
const ROWS = 3
const BESIDE = 1
const DAY_MS = 86_400_000
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g

/** Returns a word that is unique. */
const word = () => newId().replaceAll('-', '')

/** What the tests share: the app, its document, and the log of changes. */
export interface Setting {
  test: TestApp
  client: Client
  specification: Specification
  log: ChangeLog
}

/** An organization full of rows that are recognized wherever they appear. */
export class Tenant {
  readonly world: World
  readonly key: Credentials
  readonly callers: Credentials[]
  /** A unique word in every text that its users may choose. */
  readonly canary = word()
  /** The ids of all its rows, and the last id for each table. */
  readonly ids = new Set<string>()
  readonly rows = new Map<string, string>()
  readonly #setting: Setting
  readonly #places = new Map<string, Params>()

  private constructor(world: World, key: Credentials, setting: Setting) {
    this.world = world
    this.key = key
    this.callers = [...ROLES.map(role => world.organization[role]), key]
    this.#setting = setting
  }

  static async create(setting: Setting): Promise<Tenant> {
    const { test, client, specification, log } = setting
    await log.take()
    const world = await World.create(test, client, specification)
    const key = await createKey(test, world.organization.id, ...scopeNames)
    const tenant = new Tenant(world, key, setting)
    await tenant.#fill()
    return tenant
  }

  get owner(): Credentials {
    return this.world.organization.owner
  }

  /** Returns the path parameters for an operation: a place full of rows, if there is one. */
  async paramsOf(operation: Operation): Promise<Params> {
    const params = this.#places.get(operation.path) ?? (await this.world.paramsOf(operation, this.owner))
    await this.remember()
    return params
  }

  /** Remembers all rows written since the last call as its own. */
  async remember(): Promise<void> {
    const { log } = this.#setting
    for (const change of await log.take()) {
      const key = log.keyOf(change)
      for (const part of key) if (part.match(UUID)) this.ids.add(part)
      if (change.table !== 'events') this.rows.set(change.table, key.at(-1) as string)
    }
  }

  /** Returns which of its ids and words are in a response. */
  tracesIn({ text }: Answer): string[] {
    const ids = new Set(text.match(UUID))
    return [...[...ids].filter(id => this.ids.has(id)), ...(text.includes(this.canary) ? [this.canary] : [])]
  }

  /** Creates another row by `creator`, with a value in every field; returns its id. */
  async add(creator: Operation, params: Params, n: number): Promise<string> {
    const { client } = this.#setting
    if (creator.uploads) {
      const answer = await client.send(creator, { as: this.owner, params })
      await this.remember()
      return answer.body.id
    }
    const example = await this.world.bodyOf(creator, params, this.owner)
    const full = this.#filled(creator.body, example, n)
    const plain = { ...example, ...(example.email === undefined ? {} : { email: full.email }) }
    const refusals: string[] = []
    for (const body of [full, plain]) {
      const answer = await client.send(creator, { as: this.owner, params, body })
      if (answer.status >= 300) {
        refusals.push(answer.text)
        continue
      }
      await this.remember()
      return answer.body.id
    }
    throw new Error(
      `${creator.id} makes no row, neither with every field nor with those of its example: ${refusals.join(' ')}`,
    )
  }

  async #fill(): Promise<void> {
    const { client, specification } = this.#setting
    for (const creator of specification.all.filter(isCreator)) {
      for (const rows of [ROWS, BESIDE]) {
        const params = await this.world.paramsOf(creator, this.owner)
        for (let n = 0; n < rows; n++) await this.add(creator, params, n)
        if (rows === ROWS) this.#places.set(creator.path, params)
      }
    }
    // Background work deletes its subject, so each gets a new one that nothing else needs.
    for (const starter of specification.all.filter(isStarter)) {
      if (starter.method === 'POST') {
        await this.#start(starter)
        continue
      }
      const [collection = '', name = ''] = starter.path.split('/').slice(1)
      const creator = specification.creatorOf(collection)
      if (!creator) continue
      const body = await this.world.bodyOf(creator, {}, this.owner)
      const { body: subject } = await client.send(creator, { as: this.owner, body: { ...body, slug: word() } })
      const { headers } = await client.send(starter, { as: this.owner, params: { [name.slice(1, -1)]: subject.id } })
      this.#watch(headers.location ?? '')
    }
    await this.remember()
  }

  /** Starts work several times below one parent, so that the list of it has rows. */
  async #start(starter: Operation): Promise<void> {
    for (const rows of [BESIDE, ROWS]) {
      const params = await this.world.paramsOf(starter, this.owner)
      for (let n = 0; n < rows; n++) {
        const { headers } = await this.#setting.client.send(starter, { as: this.owner, params })
        const location = String(headers.location)
        this.#watch(location)
        const collection = location.split('/').at(-2) as string
        this.#places.set(starter.path.replace(/[^/]+$/, collection), params)
      }
    }
  }

  /** Uses `location` for the operations that read it. */
  #watch(location: string): void {
    for (const { path } of this.#setting.specification.all) {
      const form = new RegExp(`/api/v1${path.replace(/\{(\w+)\}/g, '(?<$1>[\\w-]{36})')}$`)
      const { groups } = form.exec(location) ?? {}
      if (groups) this.#places.set(path, { ...groups })
    }
  }

  #filled(schema: Json, example: Json, n: number): Json {
    const { properties = {} } = this.#setting.specification.resolve(schema)
    const entries = Object.entries<Json>(properties).map(([name, property]) => {
      const value = this.#value(this.#setting.specification.resolve(property), n)
      return [name, value === undefined ? example[name] : value]
    })
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
  }

  #value(schema: Json, n: number): Json {
    const [type] = [schema.type].flat()
    if (schema.enum) return schema.enum[n % schema.enum.length]
    if (type === 'integer') return (schema.minimum ?? 0) + n
    if (schema.format === 'date-time') return new Date(Date.now() + (n + 1) * DAY_MS).toISOString()
    if (schema.format === 'email') return `${this.canary}-${word()}@example.com`
    if (schema.format === 'uuid') return this.world.bystander.id
    if (type !== 'string' || schema.format) return undefined
    return [`${this.canary} ${word()}`, this.canary.slice(0, -n) + word().slice(-n)].find(
      text => text.length <= (schema.maxLength ?? Infinity) && new RegExp(schema.pattern ?? '', 'u').test(text),
    )
  }
}

const isOwners = ({ access }: Operation) => access.kind === 'organization' || access.kind === 'user'

/** Whether the operation creates one row. */
export const isCreator = (operation: Operation): boolean => {
  const { properties } = operation.uploads ? { properties: {} } : (operation.body ?? {})
  return (
    operation.method === 'POST' &&
    isOwners(operation) &&
    operation.responses['201'] !== undefined &&
    properties !== undefined &&
    Object.values<Json>(properties).every(({ type, items }) => type !== 'array' || items.type !== 'object')
  )
}

/** Whether the operation starts background work that can be watched. */
const isStarter = (operation: Operation): boolean =>
  ['DELETE', 'POST'].includes(operation.method) &&
  isOwners(operation) &&
  /^\/[\w-]+\/\{\w+\}(\/[\w-]+)?$/.test(operation.path) &&
  operation.responses['202']?.headers?.Location !== undefined
