import { newId } from '../../src/lib/ids.ts'
import type { TestApp } from './app.ts'

interface Project {
  organizationId: string
  status?: 'active' | 'archived'
}

/** Inserts a project directly, without events or checks; returns its id. The other factories do the same. */
export async function createProject({ sql }: TestApp, { organizationId, status = 'active' }: Project): Promise<string> {
  const id = newId()
  await sql('insert into projects (id, organization_id, name, status) values ($1, $2, $3, $4)', [
    id,
    organizationId,
    'Project',
    status,
  ])
  return id
}

interface Task {
  projectId: string
  title?: string
  description?: string | null
  status?: string
  priority?: number
  assigneeId?: string | null
  dueAt?: string | null
}

export async function createTask({ sql }: TestApp, { projectId, ...task }: Task): Promise<string> {
  const id = newId()
  const { title = 'Task', description = null, status = 'open', priority = 0, assigneeId = null, dueAt = null } = task
  await sql(
    `insert into tasks (id, organization_id, project_id, title, description, status, priority, assignee_id, due_at)
      select $1, organization_id, id, $3, $4, $5, $6, $7, $8 from projects where id = $2`,
    [id, projectId, title, description, status, priority, assigneeId, dueAt],
  )
  return id
}

interface Comment {
  taskId: string
  authorId?: string | null
  body?: string
}

export async function createComment({ sql }: TestApp, { taskId, authorId = null, body = 'Comment' }: Comment) {
  const id = newId()
  await sql(
    `insert into comments (id, organization_id, task_id, author_id, body)
      select $1, organization_id, id, $3, $4 from tasks where id = $2`,
    [id, taskId, authorId, body],
  )
  return id
}

interface Post {
  organizationId: string
  authorId?: string | null
  title?: string
  content?: string
  status?: 'draft' | 'published' | 'archived'
}

export async function createPost({ sql }: TestApp, { organizationId, authorId = null, ...post }: Post) {
  const id = newId()
  const { title = 'Post', content = 'Content', status = 'draft' } = post
  await sql(
    `insert into posts (id, organization_id, author_id, title, content, slug, status, published_at)
      values ($1::uuid, $2, $3, $4, $5, 'post-' || $1::uuid, $6::text, case $6::text when 'published' then now() end)`,
    [id, organizationId, authorId, title, content, status],
  )
  return id
}
