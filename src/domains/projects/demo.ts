import type { Transaction } from '../../database/client.ts'
import type { Caller } from '../../events/caller.ts'
import { record } from '../../events/record.ts'
import { demoId } from '../../lib/demo.ts'
import { orNotFound } from '../../lib/errors.ts'
import { demoOrganizationId } from '../organizations/demo.ts'
import { demoUserId } from '../users/demo.ts'
import { projectEvents } from './events.ts'
import { insertProject } from './queries.ts'

export const demoProjectId = demoId(30)

export async function insertDemoProject(tx: Transaction, caller: Caller): Promise<void> {
  const project = {
    id: demoProjectId,
    organizationId: demoOrganizationId,
    name: 'Website',
    description: 'Everything about the new site',
    createdBy: demoUserId,
  }
  await record(tx, caller, projectEvents.created, orNotFound(await insertProject(tx, project)))
}
