import { and, eq, sql } from 'drizzle-orm'
import type { Executor } from '../../../database/executor.ts'
import { one, type Params, statement, statements } from '../../../database/statement.ts'
import { versionMatches } from '../../../database/versions.ts'
import type { Caller } from '../../../events/caller.ts'
import { eventColumns, insertEvents, newEvent, withData } from '../../../events/record.ts'
import type { Principal } from '../../../lib/access.ts'
import { hasRole } from '../../organizations/queries/access.ts'
import { members } from '../../organizations/tables.ts'
import { projects } from '../../projects/tables.ts'
import { users } from '../../users/tables.ts'
import { taskEvents } from '../events.ts'
import type { Task } from '../schemas.ts'
import { tasks } from '../tables.ts'
import { columns, type TaskRow } from './read.ts'

/** A task to create on behalf of `caller`; only the statement finds out its organization. */
export interface NewTask {
  caller: Caller
  principal: Principal
  task: Omit<Task, 'organizationId'>
}

const asked = { principalId: sql.raw('e."principalId"') }

const assigneeIsFree = sql`where e."assigneeId" is null
        or exists (select from ${users} u where u.id = e."assigneeId" for key share skip locked)`

/**
 * Inserts tasks of many callers, and their events, in one statement and one commit. A row that would fail is filtered
 * out instead of raising an error, so that it never fails the others: role, active project, assignee from the same
 * organization. `offset 0` stops the planner from joining all existing projects to the many rows that it expects. The
 * foreign keys lock the project and the assignee. Without `waits`, a row whose project or assignee is being deleted is
 * left out, because all callers of the statement would wait for that deletion.
 */
const insert = statements(
  'tasks.insert',
  (_, $: Params<{ rows: string }>, waits: boolean) => sql<{ id: string; organizationId: string }>`
    with e as materialized (
      select * from jsonb_to_recordset(${$.rows}::jsonb) as e("principalId" uuid, id uuid, "projectId" uuid, title text,
        description text, status text, priority smallint, "assigneeId" uuid, "dueAt" timestamptz, "completedAt" timestamptz,
        "createdBy" uuid, "createdAt" timestamptz, ${eventColumns})
    ),
    inserted as (
      insert into ${tasks} (id, organization_id, project_id, title, description, status, priority, assignee_id, due_at,
        completed_at, created_by, created_at, updated_at)
      select e.id, p.organization_id, p.id, e.title, e.description, e.status, e.priority, e."assigneeId", e."dueAt",
        e."completedAt", e."createdBy", e."createdAt", e."createdAt"
      from e cross join lateral (
        select p.id, p.organization_id from ${projects} p
        where p.id = e."projectId" and p.status = 'active' and ${hasRole(sql`p.organization_id`, asked, 'member')}
          and (e."assigneeId" is null or exists (
            select from ${members} a where a.organization_id = p.organization_id and a.user_id = e."assigneeId"))
        offset 0${waits ? sql`` : sql` for key share of p skip locked`}) p
      ${waits ? sql`` : assigneeIsFree}
      returning id, organization_id
    ),
    logged as (${insertEvents(sql`e join inserted on inserted.id = e."targetId"`, sql`inserted.organization_id`)})
    select id, organization_id from inserted`,
)

/** Returns the created tasks by id; a missing one was left out by the statement. */
export async function insertTasks(
  on: Executor,
  rows: readonly NewTask[],
  { waits = true } = {},
): Promise<Map<string, TaskRow>> {
  const written = await insert(on, waits, { rows: `[${rows.map(recordOf).join(',')}]` })
  const organizations = new Map(written.map(row => [row.id, row.organizationId]))
  return new Map(
    rows.flatMap(({ task }) => {
      const organizationId = organizations.get(task.id)
      return organizationId ? [[task.id, { ...task, organizationId, version: 1 }] as const] : []
    }),
  )
}

/** Puts the task, its principal and its event into one object; the two have no key in common. */
function recordOf({ caller, principal, task }: NewTask): string {
  const event = newEvent({ caller, type: taskEvents.created as never, targetId: task.id, organizationId: null })
  return withData({ ...task, ...principal, ...event }, taskEvents.created.serialize({ ...task, organizationId: '' }))
}

interface Changes {
  /** A JSON array of `{ id, …changed fields }`. */
  changes: string
  /** Restricts the update to tasks of this project; null for any. */
  projectId: string | null
  ifMatch: number[] | null
}

/** Applies a merge patch to each named task: an absent field is unchanged, null clears it. */
export const updateTaskRows = statement(
  'tasks.update',
  (_, $: Params<Changes>) => sql<TaskRow>`
    update ${tasks} t set
      title = coalesce(c.v->>'title', t.title),
      description = case when c.v ? 'description' then c.v->>'description' else t.description end,
      status = coalesce(c.v->>'status', t.status),
      priority = coalesce((c.v->>'priority')::smallint, t.priority),
      assignee_id = case when c.v ? 'assigneeId' then (c.v->>'assigneeId')::uuid else t.assignee_id end,
      due_at = case when c.v ? 'dueAt' then (c.v->>'dueAt')::timestamptz else t.due_at end,
      completed_at = case when coalesce(c.v->>'status', t.status) = 'done' then coalesce(t.completed_at, now()) end,
      version = t.version + 1,
      updated_at = now()
    from jsonb_array_elements(${$.changes}::jsonb) as c(v)
    where t.id = (c.v->>'id')::uuid
      and (${$.projectId}::uuid is null or t.project_id = ${$.projectId}::uuid)
      and ${versionMatches(sql`t.version`, $.ifMatch)}
    returning ${columns}`,
)

/** Locks the task until the commit. */
export const lockTask = one(
  statement(
    'tasks.lock',
    (_, $: Params<{ id: string }>) => sql<{ version: number }>`
      select version from ${tasks} where id = ${$.id} for no key update`,
  ),
)

/** Moves the task; undefined when the target is not an active project of the task's organization. */
export const moveTaskRow = one(
  statement(
    'tasks.move',
    (_, $: Params<{ id: string; projectId: string }>) => sql<TaskRow>`
      update ${tasks} t set project_id = p.id, version = t.version + 1, updated_at = now()
      from ${projects} p
      where t.id = ${$.id} and p.id = ${$.projectId} and p.organization_id = t.organization_id and p.status = 'active'
      returning ${columns}`,
  ),
)

export const deleteTaskRow = one(
  statement('tasks.delete', (db, $: Params<{ id: string; ifMatch: number[] | null }>) =>
    db
      .delete(tasks)
      .where(and(eq(tasks.id, $.id), versionMatches(tasks.version, $.ifMatch)))
      .returning(),
  ),
)

/** Returns those of `userIds` who are members of the organization. */
export const findMembers = statement(
  'tasks.members',
  (_, $: Params<{ organizationId: string; userIds: string[] }>) => sql<{ userId: string }>`
    select user_id from ${members} where organization_id = ${$.organizationId} and user_id = any(${$.userIds}::uuid[])`,
)
