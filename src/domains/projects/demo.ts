import type { Transaction } from '../../database/client.ts'
import type { Caller } from '../../events/caller.ts'
import { demoId } from '../../lib/demo.ts'
import { demoOrganizationId } from '../organizations/demo.ts'
import { projects } from './queries.ts'

export const demoProjectId = demoId(30)

export const insertDemoProject = (_tx: Transaction, caller: Caller) =>
  projects.create(caller, {
    id: demoProjectId,
    organizationId: demoOrganizationId,
    name: 'Website',
    description: 'Everything about the new site',
  })
