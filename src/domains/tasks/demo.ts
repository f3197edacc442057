import type { Transaction } from '../../database/client.ts'
import type { Caller } from '../../events/caller.ts'
import { demoId } from '../../lib/demo.ts'
import { demoProjectId } from '../projects/demo.ts'
import { demoUserId } from '../users/demo.ts'
import { insertTasks } from './queries/write.ts'
import type { CreateTask } from './schemas.ts'
import { newTask } from './service/tasks.ts'

export const demoTaskId = demoId(40)
const DAY_MS = 86_400_000
const PAGES = 25

const tasks: CreateTask[] = [
  { title: 'Write the release notes', description: 'What changed, for whom, and what to do.', priority: 2 },
  { title: 'Rotate the signing keys', status: 'in_progress', priority: 4, assigneeId: demoUserId },
  { title: 'Answer the security questionnaire', dueAt: new Date(Date.now() + DAY_MS).toISOString(), priority: 3 },
  { title: 'Book the meeting room', status: 'done' },
  { title: 'Import last year’s orders', status: 'cancelled' },
  ...Array.from(
    { length: PAGES },
    (_, at): CreateTask => ({ title: `Review page ${at + 1} of the handbook`, priority: at % 3 }),
  ),
]

export async function insertDemoTasks(tx: Transaction, caller: Caller): Promise<void> {
  const rows = tasks.map(task => newTask(caller, { principalId: demoUserId }, demoProjectId, task))
  const [first] = rows
  if (first) first.task.id = demoTaskId
  await insertTasks(tx, rows)
}
