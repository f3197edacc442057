import { Type } from '@sinclair/typebox'
import { defineEvents } from '../../events/registry.ts'
import { User } from './schemas.ts'

/** Without email address and name: the log may be kept for ever, and an account can be erased. */
const UserReference = Type.Pick(User, ['id', 'role', 'status'], { title: 'UserReference' })

export const userEvents = defineEvents('user', {
  registered: UserReference,
  /** An admin made the account for somebody, who has yet to choose a password. */
  invited: UserReference,
  /** Somebody registered with an address that already has an account. */
  registration_repeated: UserReference,
  updated: UserReference,
  email_verified: UserReference,
  password_reset_requested: UserReference,
  password_reset: UserReference,
  password_changed: UserReference,
  /** Google has proved who owns the address, which was not verified before, so the old password was removed. */
  password_removed: UserReference,
  email_change_requested: UserReference,
  email_change_confirmed: UserReference,
  email_changed: UserReference,
  deletion_requested: UserReference,
  deletion_cancelled: UserReference,
  erased: UserReference,
  role_changed: UserReference,
  deactivated: UserReference,
  activated: UserReference,
})
