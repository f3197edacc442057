import { hashSync } from '@node-rs/argon2'
import type { OrganizationRole, PlatformRole, Scope } from '../../src/lib/access.ts'
import { sha256 } from '../../src/lib/crypto.ts'
import { demoUser } from '../../src/lib/demo.ts'
import { newId } from '../../src/lib/ids.ts'
import { newApiKey } from '../../src/lib/keys.ts'
import type { TestApp } from './app.ts'

export interface TestUser {
  id: string
  email: string
  sessionId: string
  token: string
  headers: { authorization: string }
}
export interface TestKey {
  id: string
  key: string
  headers: { authorization: string }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** The password of every test user; the examples of the OpenAPI document use it too. */
export const { password: PASSWORD } = demoUser
/** A hash with the cheapest parameters; a login replaces it by one with the current parameters. */
const PASSWORD_HASH = hashSync(PASSWORD, { memoryCost: 8, timeCost: 1, parallelism: 1 })

interface Person {
  role?: PlatformRole
  memberOf?: string
  as?: OrganizationRole
}

/** People later in the list joined later. */
const INSERT_PEOPLE = `
  with person as (
    select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[]) with ordinality
      as p(id, role, session_id, organization_id, organization_role, place)),
  o as (insert into organizations (id, name, slug) select id, 'Organization', 'o-' || id from unnest($6::uuid[]) id),
  u as (insert into users (id, email, name, role, password_hash, email_verified_at)
    select id, 'user-' || id || '@example.com', 'User ' || right(id::text, 4), role, $7, now() from person),
  p as (insert into profiles (user_id) select id from person),
  i as (insert into identities (id, user_id, provider, subject) select id, id, 'google', id from person),
  s as (insert into sessions (id, user_id, expires_at) select session_id, id, now() + interval '1 day' from person),
  m as (insert into members (organization_id, user_id, role, created_at)
    select organization_id, id, organization_role, now() - ($8 - place) * interval '1 millisecond'
    from person where organization_id is not null)
  insert into settings (user_id) select id from person`

/**
 * Inserts active users with a password, a verified address, a linked identity and a live session, and empty
 * organizations.
 */
async function createPeople({ app, sql }: TestApp, people: Person[], tenants: string[] = []): Promise<TestUser[]> {
  const made = people.map(person => ({ role: 'user' as PlatformRole, ...person, id: newId(), sessionId: newId() }))
  await sql(
    INSERT_PEOPLE,
    [
      made.map(({ id }) => id),
      made.map(({ role }) => role),
      made.map(({ sessionId }) => sessionId),
      made.map(({ memberOf }) => memberOf ?? null),
      made.map(({ as }) => as ?? null),
      tenants,
      PASSWORD_HASH,
      made.length,
    ],
    'people',
  )
  return made.map(({ id, sessionId, role }) => {
    const token = app.signAccessToken({ userId: id, sessionId, role })
    return { id, email: `user-${id}@example.com`, sessionId, token, headers: bearer(token) }
  })
}

export const createUsers = <const People extends Person[]>(test: TestApp, ...people: People) =>
  createPeople(test, people) as Promise<{ [At in keyof People]: TestUser }>

export const createUser = async (test: TestApp, person: Pick<Person, 'role'> = {}): Promise<TestUser> =>
  (await createUsers(test, person))[0]

/** Starts another session of the user. */
export async function signIn({ app, sql }: Pick<TestApp, 'app' | 'sql'>, userId: string, role: PlatformRole = 'user') {
  const sessionId = newId()
  await sql(`insert into sessions (id, user_id, expires_at) values ($1, $2, now() + interval '1 day')`, [
    sessionId,
    userId,
  ])
  const token = app.signAccessToken({ userId, sessionId, role })
  return { sessionId, token, headers: bearer(token) }
}

export async function addMember({ sql }: TestApp, organizationId: string, userId: string, role: OrganizationRole) {
  await sql('insert into members (organization_id, user_id, role) values ($1, $2, $3)', [organizationId, userId, role])
}

export interface TestOrganization {
  id: string
  owner: TestUser
  admin: TestUser
  member: TestUser
  viewer: TestUser
  /** A member of another organization, `outsider.organizationId`. */
  outsider: TestUser & { organizationId: string }
}

/** Creates an organization with one user in each role, and an owner of another organization. */
export async function createOrganization(test: TestApp): Promise<TestOrganization> {
  const [id, organizationId] = [newId(), newId()]
  const people: Person[] = (['owner', 'admin', 'member', 'viewer'] as const).map(as => ({ memberOf: id, as }))
  const made = await createPeople(test, [...people, { memberOf: organizationId, as: 'owner' }], [id, organizationId])
  const [owner, admin, member, viewer, other] = made as [TestUser, TestUser, TestUser, TestUser, TestUser]
  return { id, owner, admin, member, viewer, outsider: { ...other, organizationId } }
}

/** Creates an API key of the organization with exactly these scopes. */
export async function createKey({ sql }: TestApp, organizationId: string, ...scopes: Scope[]): Promise<TestKey> {
  const id = newId()
  const key = newApiKey('test')
  await sql(
    'insert into api_keys (id, organization_id, name, hash, hint, scopes) values ($1, $2, $3, $4, $5, $6::text[])',
    [id, organizationId, 'Key', sha256(key), key.slice(-4), scopes],
  )
  return { id, key, headers: bearer(key) }
}
