import { and, eq, sql } from 'drizzle-orm'
import { one, type Params, statement } from '../../database/statement.ts'
import { contains } from '../../database/text.ts'
import { touched } from '../../database/versions.ts'
import { defineResource } from '../../events/resource.ts'
import type { Principal } from '../../lib/access.ts'
import { hasRole } from '../organizations/queries/access.ts'
import { organizations } from '../organizations/tables.ts'
import { projectEvents } from './events.ts'
import { Project } from './schemas.ts'
import { projects as table } from './tables.ts'

export const projects = defineResource<typeof Project, { status?: string; search?: string }>({
  noun: 'project',
  collection: 'projects',
  parent: 'organization',
  table,
  item: Project,
  events: projectEvents,
  visible: $ => sql`(
    select from ${organizations} o where o.id = ${$.parentId} and ${hasRole(sql`o.id`, $, 'viewer')}) visible`,
  filters: {
    status: $ => sql`${table.status} = ${$.status}`,
    search: $ => contains(table.name, $.search),
  },
})

/** Finds those of the projects that the principal may read. */
export const readProjects = statement('projects.readable', (db, $: Params<Principal & { ids: string[] }>) =>
  db
    .select()
    .from(table)
    .where(and(sql`${table.id} = any(${$.ids}::uuid[])`, hasRole(table.organizationId, $, 'viewer'))),
)

/** Locks the project until the commit. */
export const lockProject = one(
  statement('projects.lock', (db, $: Params<{ id: string }>) =>
    db.select().from(table).where(eq(table.id, $.id)).for('no key update'),
  ),
)

export const setProjectStatus = one(
  statement('projects.set_status', (db, $: Params<{ id: string; status: Project['status'] }>) =>
    db
      .update(table)
      .set({
        status: sql`${$.status}`,
        archivedAt: sql`case when ${$.status} = 'archived' then now() end`,
        ...touched(table),
      })
      .where(eq(table.id, $.id))
      .returning(),
  ),
)
