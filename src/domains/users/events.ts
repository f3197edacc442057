import { Type } from '@sinclair/typebox'
import { defineEvents } from '../../events/registry.ts'
import { User } from './schemas.ts'

export const userEvents = defineEvents('user', {
  registered: User,
  updated: User,
  email_verified: Type.Pick(User, ['id'], { title: 'UserReference' }),
})
