import type { FastifyInstance } from 'fastify'
import type { UserActor } from '../../../lib/access.ts'
import { requestErrors } from '../../../lib/errors.ts'
import { findCredentialsOf } from '../../users/queries/passwords.ts'
import { authErrors } from '../errors.ts'
import { findRecentSession } from '../queries/sessions.ts'
import { checkPassword } from './passwords.ts'

/** A sign-in within this time counts as proof. */
const RECENT_SECONDS = 600

/**
 * Checks the password and returns the user's hash. Throws `password_wrong`, and `password_not_set` when there is none.
 */
export async function provePassword(app: FastifyInstance, { id }: UserActor, password: string): Promise<string> {
  const hash = await ownHash(app, id)
  if (hash === null) throw authErrors.password_not_set()
  if (!(await checkPassword(password, hash))) throw authErrors.password_wrong()
  return hash
}

/**
 * Required before a change that could take the account from its owner, because an access token may be stolen. It needs
 * the password, or for an account without one a sign-in in the last ten minutes. Throws `password_wrong`,
 * `reauthentication_required`.
 */
export async function reauthenticate(app: FastifyInstance, { id, sessionId }: UserActor, password = ''): Promise<void> {
  const hash = await ownHash(app, id)
  if (hash === null) {
    if (!(await isRecent(app, sessionId))) throw authErrors.reauthentication_required()
  } else if (password === '' || !(await checkPassword(password, hash))) {
    throw authErrors.password_wrong()
  }
}

/**
 * Required before another sign-in method is added: a sign-in in the last ten minutes, or the password. Throws
 * `password_wrong`, `reauthentication_required`.
 */
export async function proveRecently(app: FastifyInstance, actor: UserActor, password?: string): Promise<void> {
  if (await isRecent(app, actor.sessionId)) return
  if (password === undefined) throw authErrors.reauthentication_required()
  await reauthenticate(app, actor, password)
}

const isRecent = async (app: FastifyInstance, sessionId: string): Promise<boolean> =>
  (await findRecentSession(app.database, { id: sessionId, seconds: RECENT_SECONDS })) !== undefined

/** Throws `unauthenticated` when the user has been erased: the access token is still valid for some minutes. */
async function ownHash(app: FastifyInstance, id: string): Promise<string | null> {
  const user = await findCredentialsOf(app.database, { id })
  if (!user) throw requestErrors.unauthenticated()
  return user.passwordHash
}
