/** Roles in an organization; each includes those before it. */
export const ORGANIZATION_ROLES = ['viewer', 'member', 'admin', 'owner'] as const
export type OrganizationRole = (typeof ORGANIZATION_ROLES)[number]

export const PLATFORM_ROLES = ['user', 'moderator', 'admin'] as const
export type PlatformRole = (typeof PLATFORM_ROLES)[number]

/** A permission of an API key, such as `tasks:read`. Each domain declares its own. */
export type Scope = `${string}:${'read' | 'write'}`

const scopes: Scope[] = []
/** Every declared scope. It is filled when an app is built, before its routes are registered. */
export const scopeNames: readonly Scope[] = scopes

const descriptions = new Map<Scope, string>()
/** One sentence for each scope about what it allows. */
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
  /** The resource that the path parameter `id` names; the role is checked in its organization. */
  of: string
  /** The scope that an API key needs; without one no key may call the route. */
  scope: Scope | undefined
  /** `statement`: the route's own SQL checks membership, in the same round trip. */
  checkedBy: 'plugin' | 'statement'
  /** A user with at least this platform role also has access, in any organization. */
  orPlatform?: PlatformRole
}

/** The access rule of a route. Every route declares one, and the access plugin enforces it. */
export type Access =
  | { kind: 'public' }
  | { kind: 'credential' }
  | { kind: 'user' }
  | { kind: 'caller'; scope: Scope }
  | { kind: 'platform'; role: PlatformRole }
  | OrganizationAccess

export const everyone: Access = { kind: 'public' }
/** Any signed-in user or API key; what is inside the request has access rules of its own. */
export const anyCredential: Access = { kind: 'credential' }
export const signedIn: Access = { kind: 'user' }
/** Any signed-in user, or a key with the scope; the route's SQL returns only what the caller may see. */
export const anyCaller = (scope: Scope): Access => ({ kind: 'caller', scope })
export const platform = (role: PlatformRole): Access => ({ kind: 'platform', role })
export const member = (
  role: OrganizationRole,
  of: string,
  scope?: Scope,
  checkedBy: OrganizationAccess['checkedBy'] = 'plugin',
): OrganizationAccess => ({ kind: 'organization', role, of, scope, checkedBy })
/** As `rule`, but users with the platform role also have access, in any organization. */
export const orPlatform = (role: PlatformRole, rule: OrganizationAccess): Access => ({ ...rule, orPlatform: role })

const reaches = <R extends string>(order: readonly R[], role: R, least: R): boolean =>
  order.indexOf(role) >= order.indexOf(least)

export const reachesRole = (role: OrganizationRole, least: OrganizationRole): boolean =>
  reaches(ORGANIZATION_ROLES, role, least)
export const reachesPlatformRole = (role: PlatformRole, least: PlatformRole): boolean =>
  reaches(PLATFORM_ROLES, role, least)

/** Returns the roles that satisfy `least`, for SQL that checks membership itself. */
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
  /** Requests per minute; null means the general limit of a principal. */
  rateLimit: number | null
}
/** The authenticated caller: a signed-in user, or an API key, which acts for its organization and never for a user. */
export type Actor = UserActor | KeyActor

/** Returns the caller of a route that only signed-in users reach. */
export const asUser = (actor: Actor | null): UserActor => actor as UserActor

/**
 * The id that SQL checks access with: that of the user, or of the key's organization. Ids are unique across tables, so
 * one column serves both.
 */
export interface Principal {
  principalId: string
}

export const principalOf = (actor: Actor | null): Principal => ({
  principalId: actor?.type === 'api_key' ? actor.organizationId : asUser(actor).id,
})

/** The organization of a resource, and the caller's role in it, if any. */
export interface Membership {
  organizationId: string
  role: OrganizationRole | null
}

/** Whether the caller may delete comments of others: an admin of the organization, or a moderator of the platform. */
export const mayModerate = (actor: UserActor, membership: Membership | null): boolean =>
  (membership?.role != null && reachesRole(membership.role, 'admin')) || reachesPlatformRole(actor.role, 'moderator')

export type FindMembership = (id: string, userId: string | null) => Promise<Membership | undefined>

export const ACCESS_TOKEN_SECONDS = 900
/**
 * How long an ended session must be remembered: by then its access tokens have expired, also one that was being signed
 * at that moment.
 */
export const REVOCATION_SECONDS = ACCESS_TOKEN_SECONDS + 60
