import { Type } from '@sinclair/typebox'
import { defineEvents } from '../../events/registry.ts'
import { User } from './schemas.ts'

/** No address and no name: the log is for ever, and an account can be erased. */
const UserReference = Type.Pick(User, ['id', 'role', 'status'], { title: 'UserReference' })

export const userEvents = defineEvents('user', {
  registered: UserReference,
  updated: UserReference,
  email_verified: UserReference,
})
