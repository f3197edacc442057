import type { Executor } from '../../../database/executor.ts'
import { type Caller, onBehalfOf } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { randomToken, sha256 } from '../../../lib/crypto.ts'
import { orNotFound } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { userEvents } from '../../users/events.ts'
import { updateUserRow } from '../../users/queries/admins.ts'
import { insertUser, verifyUserEmail } from '../../users/queries/users.ts'
import type { User } from '../../users/schemas.ts'
import { authErrors } from '../errors.ts'
import { insertToken, takeTokensOf } from '../queries/tokens.ts'
import type { CreateFirstAdmin } from '../schemas/accounts.ts'
import { hashPassword, refuseWeak } from './passwords.ts'

const LIFE_SECONDS = 1_800
const PURPOSE = 'first_admin'

/**
 * Returns a link that makes its user an admin; it works once, for half an hour. It must be shown only to the operator.
 */
export async function firstAdminLink(on: Executor, appUrl: string): Promise<string> {
  const token = randomToken()
  const lasting = { purpose: PURPOSE, userId: null, subject: null, lifeSeconds: LIFE_SECONDS } as const
  await insertToken(on, { hash: sha256(token), ...lasting })
  return `${appUrl}/first-admin?token=${token}`
}

/**
 * Creates a verified account with the role admin and ends all links of this purpose. Throws `validation_failed`,
 * `token_invalid`, `email_taken`.
 */
export async function createFirstAdmin(caller: Caller, { token, email, password, name }: CreateFirstAdmin) {
  refuseWeak(password, 'password')
  const hash = sha256(token)
  const account = { id: newId(), email: email.toLowerCase(), name, passwordHash: await hashPassword(password) }
  return caller.transaction(async (tx): Promise<User> => {
    const taken = await takeTokensOf(tx, { hash, purpose: PURPOSE })
    if (!taken.some(row => row.hash.equals(hash))) throw authErrors.token_invalid()
    const inserted = await insertUser(tx, account)
    if (!inserted) throw authErrors.email_taken()
    const { id } = account
    await verifyUserEmail(tx, { id })
    const admin = orNotFound(await updateUserRow(tx, { id, name: null, role: 'admin', status: null, ifMatch: null }))
    const self = onBehalfOf(caller, id)
    await record(tx, self, userEvents.registered, inserted)
    await record(tx, self, userEvents.role_changed, admin)
    return admin
  })
}
