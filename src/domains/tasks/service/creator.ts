import type { FastifyInstance } from 'fastify'
import { coalesce } from '../../../database/fast-path/coalesce.ts'
import type { Caller } from '../../../events/caller.ts'
import { RECORDED } from '../../../events/record.ts'
import { type Actor, principalOf } from '../../../lib/access.ts'
import { orNotFound } from '../../../lib/errors.ts'
import { taskEvents } from '../events.ts'
import type { TaskRow } from '../queries/read.ts'
import { insertTasks, type NewTask } from '../queries/write.ts'
import type { CreateTask } from '../schemas.ts'
import { createTasks, newTask } from './tasks.ts'

/**
 * Creates a task together with those that other callers create at the same time, in one statement and one commit; each
 * caller is answered after that commit. A task that the statement leaves out is created again by `createTasks`, which
 * tells the reason. With an idempotency key only `createTasks` is used. Throws as `createTasks`.
 */
export function taskCreator(app: FastifyInstance) {
  const together = coalesce(
    app.database.writes,
    async (rows: readonly NewTask[]) => {
      const created = await insertTasks(app.database.writes, rows, { waits: false })
      app.database.announce(RECORDED, [taskEvents.created.target, ...created.keys()])
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
