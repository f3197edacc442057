import type { FastifyInstance } from 'fastify'
import { coalesce } from '../../../database/fast-path/coalesce.ts'
import type { Caller } from '../../../events/caller.ts'
import { type Actor, principalOf } from '../../../lib/access.ts'
import { orNotFound } from '../../../lib/errors.ts'
import type { TaskRow } from '../queries/read.ts'
import { insertTasks, type NewTask } from '../queries/write.ts'
import type { CreateTask } from '../schemas.ts'
import { createTasks, newTask } from './tasks.ts'

/**
 * Creates a task together with those that other callers create at the same time: one statement and one commit for all,
 * and every answer waits for that commit. What the statement leaves out takes the ordinary path, which knows why; under
 * an idempotency key everything does. Throws as `createTasks` does.
 */
export function taskCreator(app: FastifyInstance) {
  const together = coalesce(
    app.database.writes,
    async (rows: readonly NewTask[]) => {
      const created = await insertTasks(app.database.writes, rows, { waits: false })
      return rows.map(({ task }) => created.get(task.id) ?? null) as (TaskRow | Error)[]
    },
    { writes: true },
  )

  return async (caller: Caller, actor: Actor, projectId: string, input: CreateTask): Promise<TaskRow> => {
    const row = newTask(caller, principalOf(actor), projectId, input)
    const task = caller.joined ? null : await together(row)
    return task ?? orNotFound((await createTasks(app, caller, actor, [row]))[0])
  }
}
