import { type Static, Type } from '@sinclair/typebox'
import { Timestamp } from '../../../lib/schema.ts'

export const Deletion = Type.Object(
  { eraseAt: { ...Timestamp, description: 'When the account is erased, unless its owner signs in before.' } },
  { title: 'Deletion' },
)
export type Deletion = Static<typeof Deletion>
