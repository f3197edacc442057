import { eq, sql } from 'drizzle-orm'
import { one, type Params, statement } from '../../database/statement.ts'
import { contains } from '../../database/text.ts'
import { touched } from '../../database/versions.ts'
import { defineResource } from '../../events/resource.ts'
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
  filters: {
    status: $ => sql`${table.status} = ${$.status}`,
    search: $ => contains(table.name, $.search),
  },
})

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
