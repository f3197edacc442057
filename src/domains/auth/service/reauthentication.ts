import type { FastifyInstance } from 'fastify'
import type { UserActor } from '../../../lib/access.ts'
import { requestErrors } from '../../../lib/errors.ts'
import { findCredentialsOf } from '../../users/queries/passwords.ts'
import { authErrors } from '../errors.ts'
import { findRecentSession } from '../queries/sessions.ts'
import { checkPassword } from './passwords.ts'

/** Without a password, signing in is the proof; so long ago may it be. */
const RECENT_SECONDS = 600

/**
 * Before what could take the account from its owner: an access token alone may be stolen, so the password is asked for
 * again, or, where there is none, a sign-in of the last ten minutes. Throws `password_wrong`, `reauthentication_required`.
 */
export async function reauthenticate(app: FastifyInstance, { id, sessionId }: UserActor, password?: string) {
  const user = await findCredentialsOf(app.database, { id })
  if (!user) throw requestErrors.unauthenticated()
  if (user.passwordHash === null) {
    const recent = await findRecentSession(app.database, { id: sessionId, seconds: RECENT_SECONDS })
    if (!recent) throw authErrors.reauthentication_required()
  } else if (password === undefined || !(await checkPassword(password, user.passwordHash))) {
    throw authErrors.password_wrong()
  }
  return user
}
