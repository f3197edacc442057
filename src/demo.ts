import type { Database, Transaction } from './database/client.ts'
import { insertApiKey } from './domains/api-keys/queries.ts'
import { hashPassword } from './domains/auth/service/passwords.ts'
import { commentEvents } from './domains/comments/events.ts'
import { insertComment } from './domains/comments/queries.ts'
import { organizationEvents } from './domains/organizations/events.ts'
import { insertMember } from './domains/organizations/queries/members.ts'
import { insertOrganization } from './domains/organizations/queries/organizations.ts'
import { projectEvents } from './domains/projects/events.ts'
import { insertProject } from './domains/projects/queries.ts'
import { insertTasks } from './domains/tasks/queries/write.ts'
import type { CreateTask } from './domains/tasks/schemas.ts'
import { newTask } from './domains/tasks/service/tasks.ts'
import { insertUser, verifyUserEmail } from './domains/users/queries/users.ts'
import { bySystem, type Caller, onBehalfOf } from './events/caller.ts'
import { record } from './events/record.ts'
import { SCOPES } from './lib/access.ts'
import { sha256 } from './lib/crypto.ts'
import { demoIds, demoKey, demoUser, demoViewer } from './lib/demo.ts'
import { orNotFound } from './lib/errors.ts'

const HINT_CHARACTERS = 4
const DAY_MS = 86_400_000

const tasks: CreateTask[] = [
  { title: 'Write the release notes', description: 'What changed, for whom, and what to do.', priority: 2 },
  { title: 'Rotate the signing keys', status: 'in_progress', priority: 4, assigneeId: demoIds.users as string },
  { title: 'Answer the security questionnaire', dueAt: new Date(Date.now() + DAY_MS).toISOString(), priority: 3 },
  { title: 'Book the meeting room', status: 'done' },
  { title: 'Import last year’s orders', status: 'cancelled' },
  ...Array.from(
    { length: 25 },
    (_, at): CreateTask => ({ title: `Review page ${at + 1} of the handbook`, priority: at % 3 }),
  ),
]

/** Loads the demo data, once; whether it did. */
export function loadDemo(database: Database): Promise<boolean> {
  return database.transaction(async tx => {
    const caller = onBehalfOf(bySystem(tx), demoIds.users as string)
    if (!(await insertPerson(tx, demoIds.users as string, demoUser))) return false
    await insertPerson(tx, demoIds.members as string, demoViewer)
    await insertCompany(tx, caller)
    await insertWork(tx, caller)
    return true
  })
}

async function insertPerson(tx: Transaction, id: string, person: typeof demoUser): Promise<boolean> {
  const { email, name, password } = person
  const user = await insertUser(tx, { id, email, name, passwordHash: await hashPassword(password) })
  if (user) await verifyUserEmail(tx, { id })
  return user !== undefined
}

async function insertCompany(tx: Transaction, caller: Caller): Promise<void> {
  const { organizations: organizationId, users: userId, members: viewerId } = demoIds as Record<string, string>
  const company = { id: organizationId as string, name: 'Demo Company', slug: 'demo', userId: userId as string }
  const organization = orNotFound(await insertOrganization(tx, company))
  const target = { ...organization, organizationId: organization.id }
  await record(tx, caller, organizationEvents.created, target)
  await insertMember(tx, { organizationId: organization.id, userId: viewerId as string, role: 'viewer' })
  await insertApiKey(tx, {
    id: demoIds['api-keys'] as string,
    organizationId: organization.id,
    name: 'Demo key',
    hash: sha256(demoKey),
    hint: demoKey.slice(-HINT_CHARACTERS),
    scopes: [...SCOPES],
    expiresAt: null,
    rateLimit: null,
    createdBy: userId as string,
  })
}

async function insertWork(tx: Transaction, caller: Caller): Promise<void> {
  const { organizations: organizationId, projects: projectId, tasks: taskId } = demoIds as Record<string, string>
  const owned = { organizationId: organizationId as string, createdBy: caller.actor.id }
  const project = { ...owned, id: projectId as string, name: 'Website', description: 'Everything about the new site' }
  await record(tx, caller, projectEvents.created, orNotFound(await insertProject(tx, project)))
  const principal = { principalId: caller.actor.id as string }
  const rows = tasks.map(task => newTask(caller, principal, project.id, task))
  const [first] = rows
  if (first) first.task.id = taskId as string
  await insertTasks(tx, rows)
  const comment = {
    id: demoIds.comments as string,
    taskId: taskId as string,
    authorId: caller.actor.id,
    body: 'Looks good to me.',
  }
  await record(
    tx,
    caller,
    commentEvents.created,
    orNotFound(await insertComment(tx, { ...comment, organizationId: owned.organizationId })),
  )
}
