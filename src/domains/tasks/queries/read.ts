import { sql } from 'drizzle-orm'
import { folded } from '../../../database/columns.ts'
import type { Executor } from '../../../database/executor.ts'
import { coalesced } from '../../../database/fast-path/coalesce.ts'
import { defineList } from '../../../database/list.ts'
import { type Params, statement } from '../../../database/statement.ts'
import type { Principal } from '../../../lib/access.ts'
import { hasRole } from '../../organizations/queries/access.ts'
import { organizations } from '../../organizations/tables.ts'
import { projects } from '../../projects/tables.ts'
import { Task, type TaskFilters } from '../schemas.ts'
import { tasks } from '../tables.ts'

export type TaskRow = Task & { version: number }

export const columns = sql`t.id, t.organization_id, t.project_id, t.title, t.description, t.status, t.priority, t.assignee_id, t.due_at,
  t.completed_at, t.created_by, t.version, t.created_at, t.updated_at`

interface Asked {
  ids: string[]
  principalIds: string[]
}

const asked = { principalId: sql`asked.principal_id` }

const readable = statement(
  'tasks.readable',
  (_, $: Params<Asked>) => sql<TaskRow & { n: number }>`
    select asked.n, ${columns}
    from unnest(${$.ids}::uuid[], ${$.principalIds}::uuid[]) with ordinality as asked(id, principal_id, n)
    join ${tasks} t on t.id = asked.id
    where ${hasRole(sql`t.organization_id`, asked, 'viewer')}`,
)

type Reader = Principal & { id: string }

/** The statement for a single reader; it costs PostgreSQL half the work of the shared one. */
const readableAlone = statement(
  'tasks.readable_alone',
  (_, $: Params<Reader>) => sql<TaskRow>`
    select ${columns} from ${tasks} t where t.id = ${$.id} and ${hasRole(sql`t.organization_id`, $, 'viewer')}`,
)

/** Finds those of the tasks that the principal may read. */
export const readTasks = statement(
  'tasks.readable_some',
  (_, $: Params<Principal & { ids: string[] }>) => sql<TaskRow>`
    select ${columns} from ${tasks} t
    where t.id = any(${$.ids}::uuid[]) and ${hasRole(sql`t.organization_id`, $, 'viewer')}`,
)

/**
 * Reads a task; undefined when the reader may not see it. Concurrent reads share one statement that checks access for
 * each reader.
 */
export const readTask = coalesced(async (on: Executor, readers: readonly Reader[]) => {
  if (readers.length === 1) {
    const [task] = await readableAlone(on, readers[0] as Reader)
    return [task]
  }
  const rows = await readable(on, {
    ids: readers.map(reader => reader.id),
    principalIds: readers.map(reader => reader.principalId),
  })
  const answers = new Array<TaskRow | undefined>(readers.length).fill(undefined)
  for (const row of rows) answers[row.n - 1] = row
  return answers
})

/** The same expression as in the index. */
const document = sql`to_tsvector('simple', ${folded(sql`(t.title || ' ' || coalesce(t.description, ''))`)})`
const due = sql`coalesce(t.due_at, 'infinity')`

const byId = { on: sql`t.id`, key: 'id', type: 'uuid' } as const

const shared = {
  item: Task,
  columns,
  from: sql`${tasks} t`,
  id: byId,
  sorts: {
    createdAt: byId,
    updatedAt: { on: sql`t.updated_at`, key: 'updatedAt', type: 'timestamptz' },
    dueAt: { on: due, key: 'dueAt', type: 'timestamptz' },
    priority: { on: sql`t.priority`, key: 'priority', type: 'int' },
  },
  defaultSort: '-createdAt',
  filters: {
    status: ($: Params<TaskFilters>) => sql`t.status = ${$.status}`,
    assigneeId: ($: Params<TaskFilters>) => sql`t.assignee_id = ${$.assigneeId}`,
    priority: ($: Params<TaskFilters>) => sql`t.priority = ${$.priority}`,
    // The same expression as in the index, so that a narrow range is read from it.
    dueBefore: ($: Params<TaskFilters>) => sql`${due} < ${$.dueBefore}`,
    dueAfter: ($: Params<TaskFilters>) => sql`(${due} > ${$.dueAfter} and t.due_at is not null)`,
    search: ($: Params<TaskFilters>) =>
      sql`${document} @@ websearch_to_tsquery('simple', ${folded(sql`${$.search}::text`)})`,
  },
} as const

/** Lists the tasks of a project; undefined when it is missing or the caller may not read it. */
export const listProjectTasks = defineList<Task, { projectId: string }, TaskFilters, Principal>({
  ...shared,
  name: 'tasks.of_project',
  where: $ => sql`t.project_id = ${$.projectId}`,
  parent: $ => sql`(
    select from ${projects} p where p.id = ${$.projectId} and ${hasRole(sql`p.organization_id`, $, 'viewer')}) visible`,
})

/** Lists the tasks of an organization; undefined when it is missing or the caller may not read it. */
export const listOrganizationTasks = defineList<Task, { organizationId: string }, TaskFilters, Principal>({
  ...shared,
  name: 'tasks.of_organization',
  where: $ => sql`t.organization_id = ${$.organizationId}`,
  parent: $ => sql`(
    select from ${organizations} o where o.id = ${$.organizationId} and ${hasRole(sql`o.id`, $, 'viewer')}) visible`,
})
