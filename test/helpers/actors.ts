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

/** The password of every test user, as the examples of the document have it. */
export const { password: PASSWORD } = demoUser
/** As cheap as can be: a login writes a dearer one in its place. */
const PASSWORD_HASH = hashSync(PASSWORD, { memoryCost: 8, timeCost: 1, parallelism: 1 })

/** An active user with a password, a verified address, a linked identity and a live session. */
export async function createUser({ app, sql }: TestApp, { role = 'user' as PlatformRole } = {}): Promise<TestUser> {
  const id = newId()
  const email = `user-${id}@example.com`
  await sql(
    `with u as (insert into users (id, email, name, role, password_hash, email_verified_at)
        values ($1, $2, $3, $4, $5, now()) returning id),
      p as (insert into profiles (user_id) select id from u),
      i as (insert into identities (id, user_id, provider, subject) select id, id, 'google', id from u)
      insert into settings (user_id) select id from u`,
    [id, email, `User ${id.slice(-4)}`, role, PASSWORD_HASH],
  )
  return { id, email, ...(await signIn({ app, sql }, id, role)) }
}

/** A further session of the user. */
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
  /** A member of another organization, which is `outsider.organizationId`. */
  outsider: TestUser & { organizationId: string }
}

async function createTenant({ sql }: TestApp): Promise<string> {
  const id = newId()
  await sql('insert into organizations (id, name, slug) values ($1, $2, $3)', [id, 'Organization', `o-${id}`])
  return id
}

/** An organization with one user in each role, and an owner of another one. */
export async function createOrganization(test: TestApp): Promise<TestOrganization> {
  const [id, organizationId] = await Promise.all([createTenant(test), createTenant(test)])
  const withRole = async (tenant: string, role: OrganizationRole) => {
    const user = await createUser(test)
    await addMember(test, tenant, user.id, role)
    return user
  }
  const [owner, admin, member, viewer, other] = await Promise.all([
    withRole(id, 'owner'),
    withRole(id, 'admin'),
    withRole(id, 'member'),
    withRole(id, 'viewer'),
    withRole(organizationId, 'owner'),
  ])
  return { id, owner, admin, member, viewer, outsider: { ...other, organizationId } }
}

/** A key of the organization with exactly these scopes. */
export async function createKey({ sql }: TestApp, organizationId: string, ...scopes: Scope[]): Promise<TestKey> {
  const id = newId()
  const key = newApiKey('test')
  await sql(
    'insert into api_keys (id, organization_id, name, hash, hint, scopes) values ($1, $2, $3, $4, $5, $6::text[])',
    [id, organizationId, 'Key', sha256(key), key.slice(-4), scopes],
  )
  return { id, key, headers: bearer(key) }
}
