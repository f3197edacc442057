import type { FastifyInstance } from 'fastify'
import type { Executor } from '../../../database/executor.ts'
import { type Caller, userIdOf } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import type { Actor, Principal } from '../../../lib/access.ts'
import { invalid, orNotFound, orPreconditionFailed, requestErrors, requireVersion } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { projects } from '../../projects/queries.ts'
import { taskErrors } from '../errors.ts'
import { taskEvents } from '../events.ts'
import type { TaskRow } from '../queries/read.ts'
import {
  deleteTaskRow,
  findMembers,
  insertTasks,
  lockTask,
  moveTaskRow,
  type NewTask,
  updateTaskRows,
} from '../queries/write.ts'
import type { CreateTask, TaskChange, UpdateTask } from '../schemas.ts'

/** Returns the row as it will be stored. Its times come from this process, so that its event can be written with it. */
export function newTask(caller: Caller, principal: Principal, projectId: string, input: CreateTask): NewTask {
  const now = new Date().toISOString()
  const { title, description = null, status = 'open', priority = 0, assigneeId = null, dueAt = null } = input
  const task = {
    id: newId(),
    projectId,
    title,
    description,
    status,
    priority,
    assigneeId,
    dueAt,
    completedAt: status === 'done' ? now : null,
    createdBy: userIdOf(caller),
    createdAt: now,
    updatedAt: now,
  }
  return { caller, principal, task }
}

/**
 * Creates all tasks or none. Throws `not_found`, `forbidden`, `project_archived`, and `validation_failed` for an
 * assignee from outside the organization.
 */
export const createTasks = (app: FastifyInstance, caller: Caller, actor: Actor, rows: NewTask[]): Promise<TaskRow[]> =>
  caller.transaction(async tx => {
    const created = await insertTasks(tx, rows)
    if (created.size < rows.length) throw await refusal(app, tx, actor, rows)
    return rows.map(({ task }) => orNotFound(created.get(task.id)))
  })

/**
 * Returns the error for a row that the statement left out. Access is checked first, so a caller learns nothing that it
 * may not see.
 */
async function refusal(app: FastifyInstance, on: Executor, actor: Actor, rows: NewTask[]): Promise<Error> {
  const projectId = rows[0]?.task.projectId as string
  const { organizationId } = await app.tenancy.check('project', projectId, actor, 'member')
  const project = orNotFound(await projects.find(on, { id: projectId }))
  if (project.status !== 'active') return taskErrors.project_archived()
  await requireMembers(
    on,
    organizationId,
    rows.map(({ task }) => task.assigneeId),
  )
  return requestErrors.overloaded()
}

/** Throws `validation_failed` for the first user who is not a member. */
async function requireMembers(
  on: Executor,
  organizationId: string,
  userIds: (string | null | undefined)[],
): Promise<void> {
  const wanted = [...new Set(userIds.filter(id => id != null))]
  if (wanted.length === 0) return
  const known = new Set((await findMembers(on, { organizationId, userIds: wanted })).map(row => row.userId))
  const at = userIds.findIndex(id => id != null && !known.has(id))
  if (at === -1) return
  const pointer = userIds.length === 1 ? '#/assigneeId' : `#/tasks/${at}/assigneeId`
  throw invalid(pointer, 'is not a member of the organization')
}

interface Path {
  organizationId: string
  id: string
}

/** Throws `precondition_failed`, and `validation_failed` for an assignee from outside the organization. */
export const updateTask = (
  caller: Caller,
  { organizationId, id }: Path,
  change: UpdateTask,
  ifMatch: number[] | null,
): Promise<TaskRow> =>
  caller.transaction(async tx => {
    await requireMembers(tx, organizationId, [change.assigneeId])
    const [row] = await updateTaskRows(tx, { changes: JSON.stringify([{ ...change, id }]), projectId: null, ifMatch })
    const task = orPreconditionFailed(row, ifMatch)
    await record(tx, caller, change.status === 'done' ? taskEvents.completed : taskEvents.updated, task)
    return task
  })

/** Changes all tasks or none. Throws `validation_failed` for a task that is not in the project or is named twice. */
export const updateTasks = (caller: Caller, project: Path, changes: TaskChange[]): Promise<TaskRow[]> =>
  caller.transaction(async tx => {
    await requireMembers(
      tx,
      project.organizationId,
      changes.map(change => change.assigneeId),
    )
    const rows = await updateTaskRows(tx, { changes: JSON.stringify(changes), projectId: project.id, ifMatch: null })
    const byId = new Map(rows.map(row => [row.id, row]))
    const tasks = changes.map(({ id }, at) => {
      const task = byId.get(id)
      if (!task) throw invalid(`#/tasks/${at}/id`, 'is not a task of this project, or is named twice')
      byId.delete(id)
      return task
    })
    await record(tx, caller, taskEvents.updated, ...tasks)
    return tasks
  })

/** Throws `precondition_failed`, `validation_failed` when the target is not an active project of the same organization. */
export const moveTask = (caller: Caller, id: string, projectId: string, ifMatch: number[] | null): Promise<TaskRow> =>
  caller.transaction(async tx => {
    requireVersion(orNotFound(await lockTask(tx, { id })), ifMatch)
    const task = await moveTaskRow(tx, { id, projectId })
    if (!task) throw invalid('#/projectId', 'is not an active project of this organization')
    await record(tx, caller, taskEvents.moved, task)
    return task
  })

/** Throws `precondition_failed`. */
export const deleteTask = (caller: Caller, id: string, ifMatch: number[] | null): Promise<void> =>
  caller.transaction(async tx => {
    const task = orPreconditionFailed(await deleteTaskRow(tx, { id, ifMatch }), ifMatch)
    await record(tx, caller, taskEvents.deleted, task)
  })
