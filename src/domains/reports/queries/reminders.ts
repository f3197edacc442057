import { sql } from 'drizzle-orm'
import { one, type Params, statement } from '../../../database/statement.ts'
import { members, organizations } from '../../organizations/tables.ts'
import { tasks } from '../../tasks/tables.ts'
import { settings, users } from '../../users/tables.ts'
import { taskReminders } from '../tables.ts'

/** The task `t` is still to be done by a member of its organization. */
const isOpen = sql`t.status in ('open', 'in_progress') and exists (
  select from ${members} m where m.organization_id = t.organization_id and m.user_id = t.assignee_id)`

/** Takes open tasks that are due within a day and of whose date nobody was reminded; each once. */
export const takeDueReminders = statement(
  'reminders.take',
  (_, $: Params<{ hours: number; limit: number }>) => sql<{ taskId: string; dueAt: string }>`
    insert into ${taskReminders} as r (task_id, due_at)
    select t.id, t.due_at from ${tasks} t
      join ${settings} s on s.user_id = t.assignee_id and s.email_notifications
      join ${users} u on u.id = t.assignee_id and u.status = 'active' and u.email is not null
    where t.assignee_id is not null and t.due_at > now() and t.due_at <= now() + make_interval(hours => ${$.hours}::int)
      and ${isOpen}
      and not exists (select from ${taskReminders} known where known.task_id = t.id and known.due_at = t.due_at)
    order by t.due_at limit ${$.limit}::int
    on conflict (task_id) do update set due_at = excluded.due_at where r.due_at <> excluded.due_at
    returning task_id, due_at`,
)

export interface ReminderTask {
  title: string
  organization: string
  assigneeId: string | null
}

/** Finds a task as long as it is open, has an assignee and is due at this time. */
export const findReminded = one(
  statement(
    'reminders.task',
    (_, $: Params<{ taskId: string; dueAt: string }>) => sql<ReminderTask>`
      select t.title, o.name as organization, t.assignee_id
      from ${tasks} t join ${organizations} o on o.id = t.organization_id and o.deleted_at is null
      where t.id = ${$.taskId} and t.due_at = ${$.dueAt}::timestamptz and ${isOpen}`,
  ),
)
