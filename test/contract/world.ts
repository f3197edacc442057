import { type Access, reachesRole } from '../../src/lib/access.ts'
import { newId } from '../../src/lib/ids.ts'
import { createOrganization, createUsers, type TestOrganization, type TestUser } from '../helpers/actors.ts'
import type { TestApp } from '../helpers/app.ts'
import type { Credentials } from '../helpers/call.ts'
import type { Client } from './client.ts'
import { states } from './secrets.ts'
import type { Json, Operation, Specification } from './specification.ts'

export const ROLES = ['viewer', 'member', 'admin', 'owner'] as const
type Params = Record<string, string>

/** A tenant with everything that requests need in path and body, created through the API. */
export class World {
  readonly organization: TestOrganization
  readonly platformAdmin: TestUser
  readonly bystander: TestUser
  /** True when an operation has deleted something that the next request may need. */
  isSpent = false
  readonly #test: TestApp
  readonly #client: Client
  readonly #specification: Specification

  private constructor(
    parts: Pick<World, 'organization' | 'platformAdmin' | 'bystander'>,
    test: TestApp,
    client: Client,
    spec: Specification,
  ) {
    this.#test = test
    this.organization = parts.organization
    this.platformAdmin = parts.platformAdmin
    this.bystander = parts.bystander
    this.#client = client
    this.#specification = spec
  }

  static async create(test: TestApp, client: Client, specification: Specification): Promise<World> {
    const organization = await createOrganization(test)
    const { id } = organization
    const [platformAdmin, , bystander] = await createUsers(
      test,
      { role: 'admin' },
      // A second owner, so that one can leave.
      { memberOf: id, as: 'owner' },
      // The newest member is the first row of a list: no test needs this user, so anything may be done to it.
      { memberOf: id, as: 'member' },
    )
    const { owner, admin, member, viewer } = organization
    const users = [owner, admin, member, viewer, platformAdmin, bystander]
    await linkWallets(test, users)
    await giveAvatars(test, users)
    return new World({ organization, platformAdmin, bystander }, test, client, specification)
  }

  /** Returns a value for each path parameter, from left to right; `as` creates what its role allows. */
  async paramsOf(operation: Operation, as: Credentials): Promise<Params> {
    const segments = operation.path.split('/').slice(1)
    const params: Params = {}
    for (const [at, segment] of segments.entries()) {
      const name = /^\{(\w+)\}$/.exec(segment)?.[1]
      // What is listed below a user is what that user has made, and the owner has made everything.
      const isOwner = segments[at - 1] === 'users' && operation.method === 'GET' && at < segments.length - 1
      if (isOwner) params[name as string] = this.organization.owner.id
      else if (name) params[name] = await this.#resource(segments.slice(0, at), name, params, as)
      if (name && operation.method === 'GET') await this.#publish(segments.slice(0, at + 1), params[name] as string)
    }
    return params
  }

  /** Publishes what only its author can read before. */
  async #publish(segments: string[], id: string): Promise<void> {
    const publish = this.#specification.find('POST', `/${segments.join('/')}/publish`)
    if (publish) await this.#client.send(publish, { as: this.organization.owner, params: { id }, body: {} })
  }

  async #resource(segments: string[], name: string, params: Params, as: Credentials): Promise<string> {
    const collection = segments.at(-1) as string
    if (collection === 'organizations') return this.organization.id
    const path = `/${segments.join('/')}`
    const nested = this.#specification.find('POST', path)
    if (nested?.responses['201']) return this.#create(nested, as, params)
    const creator = this.#specification.creatorOf(collection)
    if (creator) return this.#create(creator, as)
    const starter = this.#specification.starterOf(collection)
    if (starter) {
      this.isSpent = starter.method === 'DELETE'
      return this.#create(starter, as)
    }
    const list = this.#specification.find('GET', path)
    if (!list) throw new Error(`nothing creates or lists ${collection}`)
    const { body } = await this.#client.send(list, { as: this.#capable(list.access, as), params })
    const [row] = body.data
    return row[name] ?? row.id
  }

  async #create(creator: Operation, as: Credentials, given?: Params): Promise<string> {
    const author = this.#capable(creator.access, as)
    const params = given ?? (await this.paramsOf(creator, author))
    const body = await this.bodyOf(creator, params, author)
    // An address may have only one invitation or account, so repeated creates need different addresses.
    if (body?.email) body.email = `someone-${newId()}@example.com`
    // An address gets only a few mails in an hour.
    if (body?.customerEmail) body.customerEmail = `customer-${newId()}@example.com`
    // The role of a transfer is checked for its accounts.
    const by = body?.fromAccountId ? this.organization.owner : author
    const answer = await this.#client.send(creator, { as: by, params, body })
    if (![201, 202].includes(answer.status)) throw new Error(`${creator.id} answered ${answer.status}: ${answer.text}`)
    return answer.body.id
  }

  /** Returns `as` if the rule allows it, otherwise a caller that it allows. */
  #capable(access: Access, as: Credentials): Credentials {
    if (access.kind === 'platform') return this.platformAdmin
    if (access.kind !== 'organization') return as
    const role = ROLES.find(role => this.organization[role] === as)
    return role && reachesRole(role, access.role) ? as : this.organization.owner
  }

  /** Returns the example of the document with ids of this world. */
  async bodyOf(operation: Operation, params: Params, as: Credentials): Promise<Json> {
    const { id, body: schema, example } = operation
    const body = schema && (await this.#translated(schema, example, { operation, params, as, name: '', parent: '' }))
    await states[id]?.(this.#test, params, body)
    return body
  }

  async #translated(schema: Json, example: Json, context: Context): Promise<Json> {
    const { properties = {}, items, format } = this.#specification.resolve(schema)
    if (Array.isArray(example))
      return Promise.all(example.map(item => this.#translated(items, item, { ...context, parent: context.name })))
    if (typeof example === 'object' && example !== null) {
      const entries = Object.entries(example).map(async ([name, value]) => [
        name,
        await this.#translated(properties[name], value, { ...context, name }),
      ])
      return Object.fromEntries(await Promise.all(entries))
    }
    return format === 'uuid' ? this.#referred(context) : example
  }

  /** `projectId` gets the id of a project; `id` in a list called `tasks` that of a task. */
  #referred({ operation, params, as, name, parent }: Context): Promise<string> {
    const collection = name === 'id' ? parent : this.#collectionOf(name)
    if (collection === 'organizations') return Promise.resolve(this.organization.id)
    if (collection === 'users') return Promise.resolve(this.bystander.id)
    const creator = collection ? this.#specification.creatorOf(collection) : undefined
    if (!creator) return Promise.resolve(newId())
    return this.#create(creator, as, operation.path.startsWith(creator.path) ? params : undefined)
  }

  #collectionOf(name: string): string | undefined {
    const noun = name.replace(/Id$/, '').toLowerCase()
    return ['organizations', ...this.#specification.all.map(({ path }) => path.split('/').at(-1) as string)].find(
      last => last !== '' && noun.endsWith(last.replace(/s$/, '')),
    )
  }
}

/** Each gets a wallet whose address has only digits, and so no checksum. */
const linkWallets = ({ sql }: TestApp, users: TestUser[]) =>
  sql(
    `insert into identities (id, user_id, provider, subject)
      select gen_random_uuid(), id, 'wallet', '0x00000000' || translate(replace(id::text, '-', ''), 'abcdef', '012345')
      from unnest($1::uuid[]) id`,
    [users.map(({ id }) => id)],
  )

/** Each gets an avatar, and the first also an image of it. */
async function giveAvatars({ app, sql }: TestApp, users: TestUser[]): Promise<void> {
  const key = newId()
  await app.storage.write(
    key,
    (async function* () {
      yield Buffer.from('image')
    })(),
  )
  await sql(
    `with given as (insert into avatars (user_id, status) select id, 'ready' from unnest($1::uuid[]) id returning user_id)
      insert into avatar_images (key, user_id, size, pixels, size_bytes, sha256)
      select $2, user_id, 'medium', 128, 5, encode(sha256('image'), 'hex') from given where user_id = ($1::uuid[])[1]`,
    [users.map(({ id }) => id), key],
  )
}

interface Context {
  operation: Operation
  params: Params
  as: Credentials
  name: string
  parent: string
}
