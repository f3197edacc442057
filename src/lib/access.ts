/** Roles in an organization, each including those before it. */
export const ORGANIZATION_ROLES = ['viewer', 'member', 'admin', 'owner'] as const
export type OrganizationRole = (typeof ORGANIZATION_ROLES)[number]

export const PLATFORM_ROLES = ['user', 'moderator', 'admin'] as const
export type PlatformRole = (typeof PLATFORM_ROLES)[number]

/** What an API key can be allowed to do: `tasks:read`. Each domain declares its own. */
export type Scope = `${string}:${'read' | 'write'}`

const scopes: Scope[] = []
/** Every declared scope. It is filled when an app is built, before its routes are registered. */
export const scopeNames: readonly Scope[] = scopes

const descriptions = new Map<Scope, string>()
/** What each scope allows, in a sentence. */
export const scopeDescriptions: ReadonlyMap<Scope, string> = descriptions

export function declareScopes(declared: Readonly<Record<Scope, string>>): void {
  for (const [scope, description] of Object.entries(declared) as [Scope, string][]) {
    if (!descriptions.has(scope)) scopes.push(scope)
    descriptions.set(scope, description)
  }
}

interface OrganizationAccess {
  kind: 'organization'
  role: OrganizationRole
  /** The resource that the path parameter `id` names; its organization is the one that counts. */
  of: string
  /** What an API key needs; without it no key may call. */
  scope: Scope | undefined
  /** `statement`: the route's own SQL checks membership, in the same round trip. */
  checkedBy: 'plugin' | 'statement'
  /** From this platform role on a user gets in as well, in any organization. */
  orPlatform?: PlatformRole
}

/** Who may call a route. Every route declares it; the access plugin enforces it. */
export type Access =
  | { kind: 'public' }
  | { kind: 'user' }
  | { kind: 'caller'; scope: Scope }
  | { kind: 'platform'; role: PlatformRole }
  | OrganizationAccess

export const everyone: Access = { kind: 'public' }
export const signedIn: Access = { kind: 'user' }
/** Any signed-in user, or a key with the scope; the statement narrows to what the caller may see. */
export const anyCaller = (scope: Scope): Access => ({ kind: 'caller', scope })
export const platform = (role: PlatformRole): Access => ({ kind: 'platform', role })
export const member = (
  role: OrganizationRole,
  of: string,
  scope?: Scope,
  checkedBy: OrganizationAccess['checkedBy'] = 'plugin',
): OrganizationAccess => ({ kind: 'organization', role, of, scope, checkedBy })
/** Members as `rule` says, or the platform's own people, whose organization it need not be. */
export const orPlatform = (role: PlatformRole, rule: OrganizationAccess): Access => ({ ...rule, orPlatform: role })

const reaches = <R extends string>(order: readonly R[], role: R, least: R): boolean =>
  order.indexOf(role) >= order.indexOf(least)

export const reachesRole = (role: OrganizationRole, least: OrganizationRole): boolean =>
  reaches(ORGANIZATION_ROLES, role, least)
export const reachesPlatformRole = (role: PlatformRole, least: PlatformRole): boolean =>
  reaches(PLATFORM_ROLES, role, least)

/** The roles that satisfy `least`, for a statement that checks membership itself. */
export const rolesFrom = (least: OrganizationRole): OrganizationRole[] =>
  ORGANIZATION_ROLES.filter(role => reachesRole(role, least))

export interface UserActor {
  type: 'user'
  id: string
  sessionId: string
  role: PlatformRole
}
export interface KeyActor {
  type: 'api_key'
  id: string
  organizationId: string
  scopes: readonly string[]
  /** Requests per minute; null for the limit of every principal. */
  rateLimit: number | null
}
/** Who calls: a signed-in user, or a key, which acts for its organization and never for a user. */
export type Actor = UserActor | KeyActor

/** The caller of a route for signed-in users: no key gets that far. */
export const asUser = (actor: Actor | null): UserActor => actor as UserActor

/**
 * What a statement that checks for itself compares with: the id of the user, or of the key's organization. Ids are unique
 * across tables, so one column serves both.
 */
export interface Principal {
  principalId: string
}

export const principalOf = (actor: Actor | null): Principal => ({
  principalId: actor?.type === 'api_key' ? actor.organizationId : asUser(actor).id,
})

/** The organization of a resource, and the caller's role in it if any. */
export interface Membership {
  organizationId: string
  role: OrganizationRole | null
}

/** Whether the caller may remove what others wrote: an admin of the organization, or a moderator of the platform. */
export const mayModerate = (actor: UserActor, membership: Membership | null): boolean =>
  (membership?.role != null && reachesRole(membership.role, 'admin')) || reachesPlatformRole(actor.role, 'moderator')

export type FindMembership = (id: string, userId: string | null) => Promise<Membership | undefined>

export const ACCESS_TOKEN_SECONDS = 900
/** How long an ended session matters: its access tokens have expired by then, also one that was just being signed. */
export const REVOCATION_SECONDS = ACCESS_TOKEN_SECONDS + 60
