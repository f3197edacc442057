const COLUMNS = `id, organization_id, project_id, title, description, status, priority, assignee_id, due_at, completed_at,
  created_by, created_at, updated_at`

export const READ = `select ${COLUMNS} from tasks where id = $1`

export const LIST = `select ${COLUMNS} from tasks where project_id = $1 order by id desc limit $2`

export const CREATE = `
  with task as (
    insert into tasks (id, organization_id, project_id, title, description, status, priority, assignee_id, due_at, created_at, updated_at)
    select $1, organization_id, id, $3, $4, $5, $6::smallint, $7, $8, $9, $9 from projects where id = $2
    returning organization_id
  ), event as (
    insert into events (id, type, organization_id, actor_type, target_type, target_id, data)
    select $10, 'task.created', organization_id, 'user', 'task', $1, $11::jsonb from task
  )
  select organization_id from task`

/** Columns in the order of the statements above; timestamps are already ISO 8601. */
type Row = readonly (string | null)[]

const text = (value: string | null | undefined): string => (value === null ? 'null' : JSON.stringify(value))
const plain = (value: string | null | undefined): string => (value === null ? 'null' : `"${value}"`)

export const taskJson = (row: Row): string =>
  `{"id":"${row[0]}","organizationId":${plain(row[1])},"projectId":"${row[2]}","title":${text(row[3])},"description":${text(row[4])},"status":"${row[5]}","priority":${row[6]},"assigneeId":${plain(row[7])},"dueAt":${plain(row[8])},"completedAt":${plain(row[9])},"createdBy":${plain(row[10])},"createdAt":"${row[11]}","updatedAt":"${row[12]}"}`

/** `rows` has one row more than the page when there are more. */
export function listJson(rows: readonly Row[], limit: number): string {
  const page = rows.slice(0, limit)
  const hasMore = rows.length > limit
  const nextCursor = hasMore ? `"${Buffer.from(String(page.at(-1)?.[0])).toString('base64url')}"` : null
  return `{"data":[${page.map(taskJson).join(',')}],"meta":{"limit":${limit},"nextCursor":${nextCursor},"hasMore":${hasMore}}}`
}
