import { Type } from '@sinclair/typebox'
import { defineEvents } from '../../events/registry.ts'
import { Id } from '../../lib/schema.ts'
import { Member } from './schemas/members.ts'
import { Organization } from './schemas/organizations.ts'

const Wire = Type.Omit(Organization, ['role'], { title: 'OrganizationItself' })
const Membership = Type.Object({ id: Id, ...Type.Pick(Member, ['organizationId', 'userId', 'role']).properties })

export const organizationEvents = defineEvents('organization', { created: Wire, updated: Wire, deleted: Wire })

export const memberEvents = defineEvents('member', { added: Membership, updated: Membership, removed: Membership })
