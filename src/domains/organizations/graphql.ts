import { connection, type Graph, reference } from '../../plugins/graphql/graph.ts'
import { listMembers, readMembers } from './queries/members.ts'
import { listOrganizations, readOrganizations } from './queries/organizations.ts'
import { Member } from './schemas/members.ts'
import { Organization } from './schemas/organizations.ts'

export const organizationGraph: Graph = {
  types: {
    Organization: { item: Organization, operation: 'getOrganization', find: readOrganizations },
    Member: {
      item: Member,
      operation: 'listMembers',
      find: readMembers,
      idOf: ({ organizationId, userId }: Member) => `${organizationId}/${userId}`,
    },
  },
  fields: {
    Query: {
      organization: reference('Organization'),
      organizations: connection('Organization', 'listOrganizations', listOrganizations, (_, { principalId }) => ({
        userId: principalId,
      })),
    },
    Organization: {
      members: connection('Member', 'listMembers', listMembers, ({ id }: Organization) => ({ organizationId: id })),
    },
    Member: { organization: reference('Organization', ({ organizationId }: Member) => organizationId) },
  },
}
