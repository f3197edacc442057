import { type Static, Type } from '@sinclair/typebox'
import { Id, List, ListQuery, StringEnum, Timestamp } from '../../../lib/schema.ts'

export const Identity = Type.Object(
  {
    id: Id,
    provider: StringEnum(['google', 'wallet'], { description: 'Who vouches for the person.' }),
    subject: Type.String({
      description: 'The provider’s name for the person: Google’s `sub`, the address of the wallet.',
      examples: ['0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045'],
    }),
    createdAt: Timestamp,
  },
  { title: 'Identity', description: 'A way to sign in besides the password.' },
)
export type Identity = Static<typeof Identity>
export const IdentityList = List(Identity)
export const IdentitiesQuery = ListQuery({}, ['createdAt'])
