import type { FastifyInstance } from 'fastify'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import type { UserActor } from '../../../lib/access.ts'
import { userEvents } from '../../users/events.ts'
import { changePassword as updatePassword } from '../../users/queries/passwords.ts'
import { authErrors } from '../errors.ts'
import type { ChangePassword } from '../schemas/passwords.ts'
import { notify } from './notices.ts'
import { hashPassword, refuseWeak } from './passwords.ts'
import { provePassword } from './reauthentication.ts'
import { endSessionsOf } from './sessions.ts'
import { revokeLinks } from './tokens.ts'

/**
 * Sets the password and ends the other sessions and every link. Throws `password_wrong`, `validation_failed`, and
 * `password_not_set` for an account without a password: its first one is set by a link to the address.
 */
export async function changePassword(
  app: FastifyInstance,
  caller: Caller,
  actor: UserActor,
  { currentPassword, newPassword }: ChangePassword,
): Promise<void> {
  refuseWeak(newPassword, 'newPassword')
  const current = await provePassword(app, actor, currentPassword)
  const passwordHash = await hashPassword(newPassword)
  await caller.transaction(async tx => {
    const user = await updatePassword(tx, { id: actor.id, current, passwordHash })
    // Another request changed the password while this one was checked.
    if (!user) throw authErrors.password_wrong()
    await record(tx, caller, userEvents.password_changed, user)
    await revokeLinks(tx, user.id)
    await endSessionsOf(tx, caller, user.id, actor.sessionId)
    await notify(app, tx, caller, user.email, 'password_changed')
  })
}
