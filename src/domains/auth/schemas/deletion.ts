import { type Static, Type } from '@sinclair/typebox'
import { Timestamp } from '../../../lib/schema.ts'

export const AccountDeletion = Type.Object(
  { eraseAt: { ...Timestamp, description: 'When the account is erased, unless its owner signs in before.' } },
  { title: 'AccountDeletion', description: 'An account that is to be erased.' },
)
export type AccountDeletion = Static<typeof AccountDeletion>
