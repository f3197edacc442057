import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import type { Transaction } from '../database/client.ts'
import type { Executor } from '../database/executor.ts'
import {
  type Access,
  type Actor,
  type FindMembership,
  type Membership,
  type OrganizationRole,
  type PlatformRole,
  reachesPlatformRole,
  reachesRole,
  type Scope,
} from '../lib/access.ts'
import { type AppError, lacking, requestErrors } from '../lib/errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The access rule. A route without one fails at start. */
    access?: Access
    /** Where there is a cache, access is decided by a membership that may have been kept for up to a second. */
    cached?: boolean
  }
  interface FastifyInstance {
    tenancy: Tenancy
    /** Checks access again during a long response. Throws what a new request would get. */
    recheckAccess(request: FastifyRequest, reply: FastifyReply): Promise<void>
  }
  interface FastifyRequest {
    /**
     * What the access rule found for the resource in the path; null when there is none or the statement checks itself.
     */
    membership: Membership | null
    /** The organization of the membership. Throws when there is none, which is a bug of the route. */
    readonly organizationId: string
  }
}

/** How the rows of a table are counted and erased when their organization is deleted. */
export interface ErasableRows {
  table: string
  /**
   * Whether the rows grant access: they are erased in the transaction that deletes the organization, all others by its
   * job.
   */
  grantsAccess: boolean
  count(on: Executor, organizationId: string): Promise<number>
  /** Erases up to `limit` rows, or all when it is null; returns how many. */
  erase(tx: Transaction, organizationId: string, limit: number | null): Promise<number>
}

/** How to find the organization of each resource, and how to erase its rows. */
interface Tenancy {
  define(resource: string, find: FindMembership): void
  /** Every table with an organization must be registered, or the rows of a deleted organization stay for ever. */
  own(rows: ErasableRows): void
  /** In the order of erasure, children before their parents: a domain is registered after those that it refers to. */
  readonly erasableRows: readonly ErasableRows[]
  check: CheckMembership
}

/**
 * Throws `not_found` outside the caller's organizations, `forbidden` below `role`; `orPlatform` also grants access.
 */
type CheckMembership = (
  resource: string,
  id: string,
  actor: Actor,
  role: OrganizationRole,
  orPlatform?: PlatformRole,
) => Promise<Membership>

/** How long a membership may be kept, so that access ends within a second also when the event that ended it was not heard. */
const KEPT_MS = 1_000

interface Asked {
  resource: string
  id: string
  userId: string | null
}

type Done = (error?: Error) => void
type Check = (request: FastifyRequest, reply: FastifyReply, done: Done) => void
type OrganizationRule = Extract<Access, { kind: 'organization' }>

async function access(app: FastifyInstance) {
  const resources = new Map<string, FindMembership>()
  const ruled = new Set<string>()
  const erasableRows: ErasableRows[] = []
  const find = ({ resource, id, userId }: Asked) => (resources.get(resource) as FindMembership)(id, userId)
  const check = checkBy(find)
  const checkKept = checkBy(
    app.cache.define({
      name: 'memberships',
      keyOf: ({ resource, id, userId }: Asked) => `${resource} ${id} ${userId}`,
      load: find,
      changedBy: ['member', 'organization'],
      maxMs: KEPT_MS,
    }),
  )
  app.decorateRequest('membership', null)
  app.decorateRequest('organizationId', {
    getter() {
      if (!this.membership) throw new Error(`the access rule of ${this.routeOptions.url} finds no organization`)
      return this.membership.organizationId
    },
  })

  app.decorate('tenancy', {
    define: (resource, find) => void resources.set(resource, find),
    own: rows => void erasableRows.unshift(rows),
    erasableRows,
    check,
  })

  app.decorate('recheckAccess', async (request, reply) => {
    const rule = request.routeOptions.config.access as Access
    await passes(app.authenticate, request, reply)
    await passes(holds(rule), request, reply)
    if (rule.kind === 'organization') await passes(belongs(check, rule), request, reply)
  })

  app.addHook('onRoute', (route: RouteOptions) => {
    if (route.method === 'OPTIONS') return
    const rule = route.config?.access
    if (!rule) throw new Error(`${route.method} ${route.url} declares no access rule`)
    if (rule.kind === 'public') return
    route.onRequest = [app.authenticate, holds(rule), ...[route.onRequest ?? []].flat()]
    if (rule.kind === 'organization') {
      ruled.add(rule.of)
      route.preHandler = [belongs(route.config?.cached ? checkKept : check, rule), ...[route.preHandler ?? []].flat()]
    }
  })
  app.addHook('onReady', async () => {
    for (const resource of ruled)
      if (!resources.has(resource)) throw new Error(`nothing defines the tenancy of ${resource}`)
  })
}

const checkBy =
  (find: (asked: Asked) => Promise<Membership | undefined>): CheckMembership =>
  async (resource, id, actor, role, orPlatform) => {
    const membership = await find({ resource, id, userId: actor.type === 'user' ? actor.id : null })
    if (!membership) throw requestErrors.not_found()
    if (actor.type === 'api_key') {
      if (actor.organizationId !== membership.organizationId) throw requestErrors.not_found()
      return membership
    }
    if (orPlatform && reachesPlatformRole(actor.role, orPlatform)) return membership
    if (!membership.role) throw requestErrors.not_found()
    if (!reachesRole(membership.role, role)) throw lacking(`needs the role ${role} in the organization`)
    return membership
  }

const passes = (check: Check, request: FastifyRequest, reply: FastifyReply): Promise<void> =>
  new Promise((resolve, reject) => {
    check(request, reply, error => (error ? reject(error) : resolve()))
  })

/** Checks what the credential alone decides: platform role and scope. */
const holds =
  (rule: Access): Check =>
  (request, _reply, done) =>
    done(refusedBy(rule, request.actor as Actor))

/** Returns the error when the credential alone does not satisfy the rule. */
export const refusedBy = (rule: Access, actor: Actor): AppError | undefined =>
  allows(rule, actor) ? undefined : refusal(rule)

function allows(rule: Access, actor: Actor): boolean {
  if (rule.kind === 'credential') return true
  if (actor.type === 'user') return rule.kind !== 'platform' || reachesPlatformRole(actor.role, rule.role)
  return 'scope' in rule && rule.scope !== undefined && actor.scopes.includes(rule.scope satisfies Scope)
}

function refusal(rule: Access): AppError {
  if (rule.kind === 'platform') return lacking(`needs a signed-in user with the platform role ${rule.role}`)
  if ('scope' in rule && rule.scope) return lacking(`needs an API key with the scope ${rule.scope}`, rule.scope)
  return lacking('needs a signed-in user: no API key may do this')
}

/**
 * Checks membership. It is skipped for a statement that checks itself, except with an idempotency key, which needs the
 * tenant, and where a replica runs the statement.
 */
const belongs =
  (check: CheckMembership, { of, role, checkedBy, orPlatform }: OrganizationRule): Check =>
  (request, _reply, done) => {
    if (checkedBy === 'statement' && !request.replica && request.headers['idempotency-key'] === undefined) return done()
    const { id } = request.params as { id: string }
    check(of, id, request.actor as Actor, role, orPlatform).then(membership => {
      request.membership = membership
      done()
    }, done)
  }

export const accessPlugin = fp(access, { name: 'access', dependencies: ['auth', 'cache', 'replicas'] })
