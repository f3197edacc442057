import { type PlatformRole, scopeNames } from '../../src/lib/access.ts'
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

/**
 * Returns a function that creates the credentials of a caller in `world`; an API key is created even if `operation`
 * accepts none.
 */
export function callerIn(test: TestApp, world: World, operation: Operation) {
  const { organization, platformAdmin } = world
  const scope = 'scope' in operation.access ? operation.access.scope : undefined
  const key = (id: string, without?: string) => createKey(test, id, ...scopeNames.filter(name => name !== without))
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
  await must(call(test.app, `POST /users/${user.id}/deactivate`, { as: platformAdmin }))
  return user
}

async function must(sent: ReturnType<typeof call>): Promise<void> {
  const { status, text } = await sent
  if (status >= 300) throw new Error(text)
}

/** Returns the address of an account with the password of the examples. */
export async function accountFor(test: TestApp, name: CallerName): Promise<string> {
  const email = `${name.replaceAll(' ', '-')}@example.com`
  const known = await test.sql('select from users where email = $1', [email])
  if (known.length > 0) return email
  const { id } = await createUser(test)
  await test.sql('update users set email = $2 where id = $1', [id, email])
  return email
}
