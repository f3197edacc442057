import type { PgTable } from 'drizzle-orm/pg-core'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../config.ts'
import type { Transaction } from '../database/client.ts'
import type { Caller } from '../events/caller.ts'
import { declareScopes, type Scope } from '../lib/access.ts'
import type { Graph } from './graphql/graph.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The manifests of all domains, in the order of the list. */
    domains: readonly Domain[]
  }
}

/** A table with a column `organization_id`, whose rows are deleted with their organization. */
export interface TenantTable {
  table: PgTable
  /** The name by which access rules refer to a row of it: `member('viewer', 'task', …)`. */
  resource?: string
  /**
   * Whether the rows grant access: they are erased in the transaction that deletes the organization, all others by its
   * job.
   */
  grantsAccess?: boolean
}

interface Demo {
  /** The ids for examples of paths, by the collection before the parameter: `{ tasks: '0199…' }`. */
  ids: Readonly<Record<string, string>>
  /** Inserts the rows of the demo data. */
  insert?(tx: Transaction, caller: Caller, app: FastifyInstance): Promise<unknown>
}

/** The manifest of a domain. The registry of scopes, the OpenAPI document, the demo data and the tests read it. */
export interface Domain {
  /** The name of its folder. */
  name: string
  /** The tag of its operations in the OpenAPI document. */
  tag: { name: string; description: string }
  /** The scopes of API keys in this domain, each with a sentence about what it allows. */
  scopes?: Readonly<Record<Scope, string>>
  tenantTables?: readonly TenantTable[]
  demo?: Demo
  /** Its types, fields and mutations in GraphQL. */
  graph?: Graph
  /** Registers routes, jobs and hooks for other domains. */
  register(app: FastifyInstance, config: Config): Promise<void>
}

async function registerDomains(app: FastifyInstance, { domains, config }: { domains: Domain[]; config: Config }) {
  app.decorate('domains', domains)
  for (const { scopes = {} } of domains) declareScopes(scopes)
  for (const { tag, register } of domains)
    await app.register(
      async scope => {
        scope.addHook('onRoute', ({ schema }) => {
          if (schema) schema.tags ??= [tag.name]
        })
        await register(scope, config)
      },
      { prefix: '/api/v1' },
    )
}

export const domainsPlugin = fp(registerDomains, {
  name: 'domains',
  dependencies: ['access', 'events', 'jobs', 'pages'],
})
