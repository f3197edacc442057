import { hashPassword } from '../../src/domains/auth/service/passwords.ts'
import { type PlatformRole, SCOPES } from '../../src/lib/access.ts'
import { demoUser } from '../../src/lib/demo.ts'
import { addMember, createKey, createUser } from '../helpers/actors.ts'
import type { TestApp } from '../helpers/app.ts'
import { type Credentials, call } from '../helpers/call.ts'
import type { Operation } from './specification.ts'
import type { World } from './world.ts'

/** Every kind of caller, seen from one organization. */
export const CALLERS = [
  'anonymous',
  'viewer',
  'member',
  'admin',
  'owner',
  'key with the scope',
  'key without it',
  'key of another organization',
  'member of another organization',
  'removed member',
  'deactivated user',
  'platform moderator',
  'platform admin',
] as const
export type CallerName = (typeof CALLERS)[number]

const passwordHash = await hashPassword(demoUser.password)

/** Makes the credentials of a caller in `world`; a key is made for `operation`, which may take none. */
export function callerIn(test: TestApp, world: World, operation: Operation) {
  const { organization, platformAdmin } = world
  const scope = 'scope' in operation.access ? operation.access.scope : undefined
  const key = (id: string, without?: string) => createKey(test, id, ...SCOPES.filter(name => name !== without))
  const platform = (role: PlatformRole) => createUser(test, { role })
  const makers: Record<CallerName, () => Promise<Credentials | null> | Credentials | null> = {
    anonymous: () => null,
    viewer: () => organization.viewer,
    member: () => organization.member,
    admin: () => organization.admin,
    owner: () => organization.owner,
    'key with the scope': () => (scope ? createKey(test, organization.id, scope) : key(organization.id)),
    'key without it': () => key(organization.id, scope),
    'key of another organization': () => key(organization.outsider.organizationId),
    'member of another organization': () => organization.outsider,
    'removed member': () => removed(test, world),
    'deactivated user': () => deactivated(test, world),
    'platform moderator': () => platform('moderator'),
    'platform admin': () => platformAdmin,
  }
  return (name: CallerName) => makers[name]()
}

async function removed(test: TestApp, { organization }: World): Promise<Credentials> {
  const user = await createUser(test)
  await addMember(test, organization.id, user.id, 'admin')
  const path = `/organizations/${organization.id}/members/${user.id}`
  await must(call(test.app, `DELETE ${path}`, { as: organization.owner }))
  return user
}

async function deactivated(test: TestApp, { organization, platformAdmin }: World): Promise<Credentials> {
  const user = await createUser(test)
  await addMember(test, organization.id, user.id, 'admin')
  const answer = await call(test.app, `POST /users/${user.id}/deactivate`, { as: platformAdmin })
  if (answer.status === 404) {
    await test.sql(`update users set status = 'deactivated' where id = $1`, [user.id])
    test.app.revocations.add([user.sessionId])
  }
  return user
}

async function must(sent: ReturnType<typeof call>): Promise<void> {
  const { status, text } = await sent
  if (status >= 300) throw new Error(text)
}

/** An account with the password of the examples, so that what asks for it again can succeed. */
export async function withPassword({ sql }: TestApp, email: string): Promise<string> {
  await sql(
    `insert into users (id, email, name, password_hash, email_verified_at) values (gen_random_uuid(), $1, 'Someone', $2, now())
      on conflict do nothing`,
    [email, passwordHash],
  )
  return email
}
export const givePasswords = ({ sql }: TestApp): Promise<unknown> =>
  sql('update users set password_hash = $1 where password_hash is null', [passwordHash])
