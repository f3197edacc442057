import { and, eq, sql } from 'drizzle-orm'
import { defineList } from '../../../database/list.ts'
import { one, type Params, statement } from '../../../database/statement.ts'
import { touched, versionMatches } from '../../../database/versions.ts'
import type { Principal } from '../../../lib/access.ts'
import { Organization } from '../schemas/organizations.ts'
import { members, organizations } from '../tables.ts'
import { hasRole } from './access.ts'

type OrganizationRow = Organization & { version: number }

const columns = {
  id: organizations.id,
  name: organizations.name,
  slug: organizations.slug,
  version: organizations.version,
  createdAt: organizations.createdAt,
  updatedAt: organizations.updatedAt,
}

/** Inserts the organization with `userId` as its owner. */
export const insertOrganization = one(
  statement(
    'organizations.insert',
    (_, $: Params<{ id: string; name: string; slug: string; userId: string }>) => sql<OrganizationRow>`
      with inserted as (
        insert into ${organizations} (id, name, slug) values (${$.id}, ${$.name}, ${$.slug}) returning *
      ),
      owner as (insert into ${members} (organization_id, user_id, role) select id, ${$.userId}::uuid, 'owner' from inserted)
      select id, name, slug, 'owner' as role, version, created_at, updated_at from inserted`,
  ),
)

export const findOrganization = one(
  statement(
    'organizations.find',
    (_, $: Params<{ id: string; userId: string | null }>) => sql<OrganizationRow>`
      select o.id, o.name, o.slug, coalesce(m.role, 'member') as role, o.version, o.created_at, o.updated_at
      from ${organizations} o left join ${members} m on m.organization_id = o.id and m.user_id = ${$.userId}::uuid
      where o.id = ${$.id}`,
  ),
)

/**
 * Locks an organization until the commit: changes of its members run one after another, so counts after this see the
 * change before. Undefined when the organization is deleted or being deleted.
 */
export const lockOrganization = one(
  statement(
    'organizations.lock',
    (_, $: Params<{ id: string }>) => sql<{ version: number }>`
      select version from ${organizations} where id = ${$.id} and deleted_at is null for no key update`,
  ),
)

/** Locks all organizations of a user, ordered by id to avoid deadlocks. */
export const lockOrganizationsOf = statement(
  'organizations.lock_of_user',
  (_, $: Params<{ userId: string }>) => sql<{ id: string }>`
    select o.id from ${organizations} o
    where o.deleted_at is null and o.id in (select m.organization_id from ${members} m where m.user_id = ${$.userId})
    order by o.id for no key update of o`,
)

interface Change {
  id: string
  name: string | null
  slug: string | null
  ifMatch: number[] | null
}

export const updateOrganizationRow = one(
  statement('organizations.update', (db, $: Params<Change>) =>
    db
      .update(organizations)
      .set({
        name: sql`coalesce(${$.name}, ${organizations.name})`,
        slug: sql`coalesce(${$.slug}, ${organizations.slug})`,
        ...touched(organizations),
      })
      .where(and(eq(organizations.id, $.id), versionMatches(organizations.version, $.ifMatch)))
      .returning(columns),
  ),
)

/**
 * Locks the organization for its deletion: waits for all transactions that lock it or refer to it, and blocks later
 * ones.
 */
export const lockOrganizationToDelete = one(
  statement(
    'organizations.lock_to_delete',
    (_, $: Params<{ id: string }>) => sql<{ id: string }>`
      select id from ${organizations} where id = ${$.id} and deleted_at is null for update`,
  ),
)

export const markDeleted = one(
  statement('organizations.mark_deleted', (db, $: Params<{ id: string; ifMatch: number[] | null }>) =>
    db
      .update(organizations)
      .set({ deletedAt: sql`now()`, ...touched(organizations) })
      .where(and(eq(organizations.id, $.id), versionMatches(organizations.version, $.ifMatch)))
      .returning(columns),
  ),
)

export const deleteOrganizationRow = statement('organizations.delete', (db, $: Params<{ id: string }>) =>
  db.delete(organizations).where(eq(organizations.id, $.id)),
)

/** Finds those of the organizations that the principal is in. */
export const readOrganizations = statement(
  'organizations.readable',
  (_, $: Params<Principal & { ids: string[] }>) => sql<OrganizationRow>`
    select o.id, o.name, o.slug, coalesce(m.role, 'member') as role, o.version, o.created_at, o.updated_at
    from ${organizations} o left join ${members} m on m.organization_id = o.id and m.user_id = ${$.principalId}::uuid
    where o.id = any(${$.ids}::uuid[]) and ${hasRole(sql`o.id`, $, 'viewer')}`,
)

const byId = { on: sql`m.organization_id`, key: 'id', type: 'uuid' } as const

export const listOrganizations = defineList<Organization, { userId: string }>({
  name: 'organizations.list',
  item: Organization,
  columns: sql`o.id, o.name, o.slug, m.role, o.version, o.created_at, o.updated_at`,
  from: sql`${members} m join ${organizations} o on o.id = m.organization_id`,
  where: $ => sql`m.user_id = ${$.userId}`,
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
})
