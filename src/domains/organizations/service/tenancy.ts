import type { FastifyInstance } from 'fastify'
import { memberships } from '../queries/access.ts'
import { erasableRows } from '../queries/tenant-tables.ts'
import { organizations } from '../tables.ts'

/**
 * Registers the tenant tables of every domain: how access rules find the organization of a row, and how rows are erased
 * with their organization.
 */
export function registerTenancy({ database, domains, tenancy }: FastifyInstance): void {
  tenancy.define('organization', memberships(database, organizations, 'id'))
  for (const { table, resource, grantsAccess = false } of domains.flatMap(domain => domain.tenantTables ?? [])) {
    if (resource) tenancy.define(resource, memberships(database, table, 'organization_id'))
    tenancy.own({ ...erasableRows(table), grantsAccess })
  }
}
