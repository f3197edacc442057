import Fastify from 'fastify'
import mercurius, { type MercuriusLoaders } from 'mercurius'
import pg from 'pg'

// What a careful team writes with mercurius: resolvers, one loader for each type with rows, compiled queries, a pool. No
// authentication, no access rules, no limits.

const SCHEMA = `
  type Member { id: ID! name: String! }
  type CommentConnection { totalCount: Int! }
  type Task {
    id: ID! title: String! status: String! priority: Int! dueAt: String
    assignee: Member
    comments: CommentConnection!
  }
  type TaskEdge { node: Task! }
  type TaskConnection { edges: [TaskEdge!]! }
  type Project { id: ID! name: String! tasks(first: Int!): TaskConnection! }
  type Query { project(id: ID!): Project }
`
const PROJECT = 'select id, name from projects where id = $1'
const TASKS = `select id, title, status, priority, due_at as "dueAt", assignee_id as "assigneeId" from tasks
  where project_id = $1 order by id desc limit $2`
const USERS = 'select id, name from users where id = any($1)'
const COMMENTS = 'select task_id as id, count(*)::int as count from comments where task_id = any($1) group by task_id'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, application_name: 'lintel-floor', max: 10 })

interface Task {
  id: string
  dueAt: Date | null
  assigneeId: string | null
}
type Queries = { obj: Task }[]

const rowsOf = async (name: string, text: string, values: unknown[]) => (await pool.query({ name, text, values })).rows
const byId = async <Row extends { id: string }>(
  name: string,
  text: string,
  ids: unknown[],
): Promise<Map<string, Row>> => new Map((await rowsOf(name, text, [ids])).map(row => [row.id, row]))

const resolvers = {
  Query: { project: async (_: unknown, { id }: { id: string }) => (await rowsOf('project', PROJECT, [id]))[0] },
  Project: {
    async tasks({ id }: { id: string }, { first }: { first: number }) {
      const rows = await rowsOf('tasks', TASKS, [id, first])
      return { edges: rows.map(node => ({ node })) }
    },
  },
  Task: { dueAt: ({ dueAt }: Task) => dueAt?.toISOString() },
}
const loaders = {
  Task: {
    async assignee(queries: Queries) {
      const found = await byId<{ id: string; name: string }>('users', USERS, [
        ...new Set(queries.flatMap(({ obj }) => obj.assigneeId ?? [])),
      ])
      return queries.map(({ obj }) => (obj.assigneeId ? found.get(obj.assigneeId) : null))
    },
    async comments(queries: Queries) {
      const ids = queries.map(({ obj }) => obj.id)
      const counts = await byId<{ id: string; count: number }>('comments', COMMENTS, ids)
      return ids.map(id => ({ totalCount: counts.get(id)?.count ?? 0 }))
    },
  },
}

const app = Fastify()
await app.register(mercurius, { schema: SCHEMA, resolvers, loaders: loaders as MercuriusLoaders, jit: 1 })
app.get('/health/ready', async () => '')
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
