import { Type } from '@sinclair/typebox'
import { defineEvents } from '../../events/registry.ts'
import { Id } from '../../lib/schema.ts'
import { Invitation } from './schemas/invitations.ts'
import { Member } from './schemas/members.ts'
import { Organization } from './schemas/organizations.ts'

const Wire = Type.Omit(Organization, ['role'], { title: 'OrganizationItself' })
const MemberReference = Type.Object({ id: Id, ...Type.Pick(Member, ['organizationId', 'userId', 'role']).properties })

export const organizationEvents = defineEvents('organization', { created: Wire, updated: Wire, deleted: Wire })

export const memberEvents = defineEvents('member', {
  added: MemberReference,
  updated: MemberReference,
  removed: MemberReference,
})

/** Without the address: it may belong to a person without an account, and the log is kept for ever. */
const Invited = Type.Pick(Invitation, ['id', 'organizationId', 'role'], { title: 'InvitationReference' })

export const invitationEvents = defineEvents('invitation', {
  created: Invited,
  resent: Invited,
  revoked: Invited,
  accepted: Invited,
})
