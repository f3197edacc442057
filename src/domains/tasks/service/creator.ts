import type { FastifyInstance } from 'fastify'
import type { Caller } from '../../../events/caller.ts'
import { type Actor, principalOf } from '../../../lib/access.ts'
import { coalesce } from '../../../lib/coalesce.ts'
import { isUnavailable, orNotFound } from '../../../lib/errors.ts'
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
  const together = coalesce(async (rows: readonly NewTask[]) => {
    const created = await insertTasks(app.database.writes, rows).catch(error => apart(error, rows))
    return rows.map(({ task }) => created.get(task.id) ?? null) as (TaskRow | Error)[]
  })

  /** One row that the server refuses must not fail the others; without a server there is nothing to repeat. */
  async function apart(error: Error, rows: readonly NewTask[]): Promise<Map<string, TaskRow | Error>> {
    if (rows.length === 1 || isUnavailable(error)) throw error
    const answers = rows.map(row =>
      insertTasks(app.database.writes, [row]).then(
        created => created.get(row.task.id),
        (refused: Error) => refused,
      ),
    )
    return new Map(
      (await Promise.all(answers)).flatMap((answer, at) => (answer ? [[(rows[at] as NewTask).task.id, answer]] : [])),
    )
  }

  return async (caller: Caller, actor: Actor, projectId: string, input: CreateTask): Promise<TaskRow> => {
    const row = newTask(caller, principalOf(actor), projectId, input)
    const task = caller.joined ? null : await together(row)
    return task ?? orNotFound((await createTasks(app, caller, actor, [row]))[0])
  }
}
