import type { Transaction } from '../../../database/client.ts'
import type { Executor } from '../../../database/executor.ts'
import { randomToken, sha256 } from '../../../lib/crypto.ts'
import { lockUser } from '../../users/queries/users.ts'
import { authErrors } from '../errors.ts'
import { deleteEmailChange } from '../queries/email-changes.ts'
import { deleteTokens, findToken, insertToken, type Purpose, takeToken } from '../queries/tokens.ts'

interface Issue {
  purpose: Purpose
  userId: string
  lifeSeconds: number
}

/** Issues a token for a mail and deletes older ones with its purpose. The caller has locked the user. */
export async function issueToken(tx: Transaction, { purpose, userId, lifeSeconds }: Issue): Promise<string> {
  const token = randomToken()
  await deleteTokens(tx, { userId, purposes: [purpose] })
  await insertToken(tx, { hash: sha256(token), purpose, userId, subject: null, lifeSeconds })
  return token
}

/** Whether the token has one of these purposes and has not expired; it is not consumed. */
export async function isLive(on: Executor, token: string, ...purposes: Purpose[]): Promise<boolean> {
  const known = await findToken(on, { hash: sha256(token) })
  return known !== undefined && purposes.includes(known.purpose)
}

/** Consumes a token from a mail and locks its user; the user is locked first. Throws `token_invalid`. */
export async function redeemToken(tx: Transaction, token: string, ...purposes: Purpose[]) {
  const hash = sha256(token)
  const known = await findToken(tx, { hash })
  if (!known?.userId || !purposes.includes(known.purpose)) throw authErrors.token_invalid()
  const user = await lockUser(tx, { id: known.userId })
  const taken = await takeToken(tx, { hash, purpose: known.purpose })
  if (!user || !taken) throw authErrors.token_invalid()
  return { user, purpose: known.purpose, subject: known.subject }
}

/** The purposes of flows that a signed-in user can start. */
export const BEGUN: Purpose[] = ['old_email', 'new_email', 'google_flow', 'exchange']
const LINKS: Purpose[] = ['verify_email', 'reset_password', ...BEGUN]

/**
 * Deletes all tokens of the user and a pending change of address, since somebody who had access to the account may have
 * started them.
 */
export async function revokeLinks(tx: Transaction, userId: string, purposes = LINKS): Promise<void> {
  await deleteTokens(tx, { userId, purposes })
  await deleteEmailChange(tx, { userId })
}
