import type { Transaction } from '../../database/client.ts'
import type { Caller } from '../../events/caller.ts'
import { record } from '../../events/record.ts'
import { demoId } from '../../lib/demo.ts'
import { orNotFound } from '../../lib/errors.ts'
import { demoUserId, demoViewerId } from '../users/demo.ts'
import { organizationEvents } from './events.ts'
import { completeDeletion, insertDeletion } from './queries/deletions.ts'
import { insertInvitation } from './queries/invitations.ts'
import { insertMember } from './queries/members.ts'
import { insertOrganization } from './queries/organizations.ts'

export const demoOrganizationId = demoId(10)
export const ids = {
  organizations: demoOrganizationId,
  members: demoViewerId,
  invitations: demoId(11),
  deletions: demoId(12),
}
/** This organization does not exist; only the record of its deletion does. */
const deletedOrganizationId = demoId(13)

export async function insertDemoOrganization(tx: Transaction, caller: Caller): Promise<void> {
  const row = { id: demoOrganizationId, name: 'Demo Company', slug: 'demo', userId: demoUserId }
  const organization = orNotFound(await insertOrganization(tx, row))
  const target = { ...organization, organizationId: organization.id }
  await record(tx, caller, organizationEvents.created, target)
  await insertMember(tx, { organizationId: organization.id, userId: demoViewerId, role: 'viewer' })
  await insertInvitation(tx, {
    id: ids.invitations,
    organizationId: organization.id,
    email: 'invited@lintel.localhost',
    role: 'member',
    invitedBy: demoUserId,
  })
  await insertDeletion(tx, { id: ids.deletions, organizationId: deletedOrganizationId, requestedBy: demoUserId })
  await completeDeletion(tx, { id: ids.deletions })
}
