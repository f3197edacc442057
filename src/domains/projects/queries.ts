import { and, eq, sql } from 'drizzle-orm'
import { defineList } from '../../database/list.ts'
import { one, type Params, statement, statements } from '../../database/statement.ts'
import { contains } from '../../database/text.ts'
import { touched, versionMatches } from '../../database/versions.ts'
import { Project } from './schemas.ts'
import { projects } from './tables.ts'

interface NewProject {
  id: string
  organizationId: string
  name: string
  description: string | null
  createdBy: string | null
}

export const insertProject = one(
  statement('projects.insert', (db, $: Params<NewProject>) =>
    db
      .insert(projects)
      .values({
        id: $.id,
        organizationId: $.organizationId,
        name: $.name,
        description: $.description,
        createdBy: $.createdBy,
      } as never)
      .returning(),
  ),
)

export const findProject = one(
  statement('projects.find', (db, $: Params<{ id: string }>) =>
    db.select().from(projects).where(eq(projects.id, $.id)),
  ),
)

type Key = { id: string; ifMatch: number[] | null }
const present = ($: Params<Key>) => and(eq(projects.id, $.id), versionMatches(projects.version, $.ifMatch))

interface Change extends Key {
  name: string
  description: string | null
}

/** `changed` names what changes, so that null can be written. */
export const updateProjectRow = statements(
  'projects.update',
  (db, $: Params<Change>, changed: readonly (keyof Change)[]) =>
    db
      .update(projects)
      .set({ ...Object.fromEntries(changed.map(column => [column, sql`${$[column]}`])), ...touched(projects) })
      .where(present($))
      .returning(),
)

/** Nobody else changes the project until the commit. */
export const lockProject = one(
  statement('projects.lock', (db, $: Params<{ id: string }>) =>
    db.select().from(projects).where(eq(projects.id, $.id)).for('no key update'),
  ),
)

export const setProjectStatus = one(
  statement('projects.set_status', (db, $: Params<{ id: string; status: Project['status'] }>) =>
    db
      .update(projects)
      .set({
        status: sql`${$.status}`,
        archivedAt: sql`case when ${$.status} = 'archived' then now() end`,
        ...touched(projects),
      })
      .where(eq(projects.id, $.id))
      .returning(),
  ),
)

export const deleteProjectRow = one(
  statement('projects.delete', (db, $: Params<Key>) => db.delete(projects).where(present($)).returning()),
)

const byId = { on: projects.id, key: 'id', type: 'uuid' } as const

export const listProjects = defineList<Project, { organizationId: string }, { status?: string; search?: string }>({
  name: 'projects.list',
  item: Project,
  columns: sql`*`,
  from: sql`${projects}`,
  where: $ => eq(projects.organizationId, $.organizationId),
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
  filters: {
    status: $ => sql`${projects.status} = ${$.status}`,
    search: $ => contains(projects.name, $.search),
  },
})
