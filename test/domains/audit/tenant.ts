import { createOrganization, type TestOrganization } from '../../helpers/actors.ts'
import type { TestApp } from '../../helpers/app.ts'
import { type Credentials, call } from '../../helpers/call.ts'
import { createProject } from '../../helpers/factories.ts'

/** An organization with a project. */
export interface Tenant extends TestOrganization {
  projectId: string
}

export async function createTenant(test: TestApp): Promise<Tenant> {
  const organization = await createOrganization(test)
  return { ...organization, projectId: await createProject(test, { organizationId: organization.id }) }
}

/** Creates a task as a member does, with its event; returns its id. */
export const postTask = async ({ app }: TestApp, { projectId, member }: Tenant, title = 'Task'): Promise<string> =>
  (await call(app, `POST /projects/${projectId}/tasks`, { as: member, body: { title } })).body.id

/** Creates a project as a user does, with its event. */
export const postProject = ({ app }: TestApp, organizationId: string, as: Credentials) =>
  call(app, `POST /organizations/${organizationId}/projects`, { as, body: { name: 'Project' } })

/** Inserts many events of one project in one transaction, each with a text of this many characters. */
export const insertEvents = (
  { sql }: TestApp,
  { id, projectId }: Pick<Tenant, 'id' | 'projectId'>,
  { count, characters = 0 }: { count: number; characters?: number },
) =>
  sql(
    `insert into events (id, type, organization_id, actor_type, target_type, target_id, data)
     select gen_random_uuid(), 'project.updated', $1, 'system', 'project', $2, jsonb_build_object('text', repeat('x', $4))
     from generate_series(1, $3)`,
    [id, projectId, count, characters],
  )
