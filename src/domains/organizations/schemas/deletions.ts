import { type Static, Type } from '@sinclair/typebox'
import { Id, List, ListQuery, Nullable, StringEnum, Timestamp } from '../../../lib/schema.ts'

export const Deletion = Type.Object(
  {
    id: Id,
    organizationId: Id,
    status: StringEnum(['running', 'completed']),
    totalRows: Nullable(Type.Integer(), { description: 'Null until they are counted, which is the first step.' }),
    deletedRows: Type.Integer(),
    requestedBy: Nullable(Id),
    createdAt: Timestamp,
    updatedAt: Timestamp,
    completedAt: Nullable(Timestamp),
  },
  { title: 'Deletion' },
)
export type Deletion = Static<typeof Deletion>
export const DeletionList = List(Deletion)
export const DeletionsQuery = ListQuery({}, ['createdAt'])
