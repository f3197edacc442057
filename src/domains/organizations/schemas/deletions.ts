import { type Static, Type } from '@sinclair/typebox'
import { Id, List, ListQuery, Nullable, StringEnum, Timestamp } from '../../../lib/schema.ts'

export const Deletion = Type.Object(
  {
    id: Id,
    organizationId: Id,
    status: StringEnum(['running', 'completed'], { description: 'Whether rows are still to be deleted.' }),
    totalRows: Nullable(Type.Integer(), {
      description: 'Rows to delete; null until they are counted, which is the first step.',
      examples: [1_204],
    }),
    deletedRows: Type.Integer({ description: 'Rows deleted so far.', examples: [500] }),
    requestedBy: Nullable(Id, {
      description: 'The user who asked for it, whose account may be erased since; null where nobody is known.',
    }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
    completedAt: Nullable(Timestamp, {
      description: 'When the last row was deleted; null until then.',
      examples: [null],
    }),
  },
  { title: 'Deletion', description: 'How far the deletion of an organization is.' },
)
export type Deletion = Static<typeof Deletion>
export const DeletionList = List(Deletion)
export const DeletionsQuery = ListQuery({}, ['createdAt'])
