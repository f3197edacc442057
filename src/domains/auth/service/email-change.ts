import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { type Caller, onBehalfOf } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import type { UserActor } from '../../../lib/access.ts'
import { requestErrors } from '../../../lib/errors.ts'
import { userEvents } from '../../users/events.ts'
import { lockUser, changeEmail as updateEmail } from '../../users/queries/users.ts'
import { authErrors } from '../errors.ts'
import { sendEmailChangeMail } from '../jobs.ts'
import { confirmEmailChange, type EmailChange, upsertEmailChange } from '../queries/email-changes.ts'
import type { Purpose } from '../queries/tokens.ts'
import type { ChangeEmail, EmailConfirmation } from '../schemas/email.ts'
import { EMAIL_CHANGE_SECONDS } from './letters.ts'
import { notify } from './notices.ts'
import { reauthenticate } from './reauthentication.ts'
import { endSessionsOf } from './sessions.ts'
import { redeemToken, revokeLinks } from './tokens.ts'

/**
 * The tokens of the previous change. A link that verifies the current address stays valid: the request may come from
 * somebody other than its owner.
 */
const OF_CHANGE: Purpose[] = ['old_email', 'new_email']

/**
 * Starts a change of address and replaces an older one. Links go to both addresses, to the old one only if it was
 * verified. The response does not tell whether the new address has an account. Throws as `reauthenticate`, and
 * `validation_failed`, `rate_limited`.
 */
export async function changeEmail(
  app: FastifyInstance,
  caller: Caller,
  actor: UserActor,
  { email, password }: ChangeEmail,
): Promise<void> {
  const { id: userId, sessionId } = actor
  await reauthenticate(app, actor, password)
  await app.limitMails(email)
  await caller.transaction(async tx => {
    const user = await lockUser(tx, { id: userId })
    if (!user) throw requestErrors.unauthenticated()
    const change = { userId, email: email.toLowerCase(), sessionId, lifeSeconds: EMAIL_CHANGE_SECONDS }
    if (user.email === change.email) throw sameAddress()
    const oldConfirmed = user.email === null || user.emailVerifiedAt === null
    await revokeLinks(tx, userId, OF_CHANGE)
    await upsertEmailChange(tx, { ...change, oldConfirmed })
    await record(tx, caller, userEvents.email_change_requested, user)
    for (const toOld of oldConfirmed ? [false] : [true, false])
      await app.jobs.enqueue(tx, sendEmailChangeMail, { userId, toOld }, caller.traceparent)
  })
}

function sameAddress() {
  const detail = 'is the present address'
  return requestErrors.validation_failed({ detail: `email ${detail}`, errors: [{ pointer: '#/email', detail }] })
}

/** Confirms one of the two addresses; the second completes the change. Throws `token_invalid`, `email_taken`. */
export const confirmEmail = (app: FastifyInstance, caller: Caller, token: string): Promise<EmailConfirmation> =>
  caller.transaction(async tx => {
    const { user, purpose } = await redeemToken(tx, token, 'old_email', 'new_email')
    const owner = onBehalfOf(caller, user.id)
    const change = await confirmEmailChange(tx, { userId: user.id, old: purpose === 'old_email' })
    if (!change) throw authErrors.token_invalid()
    await record(tx, owner, userEvents.email_change_confirmed, user)
    const oldConfirmed = change.oldConfirmedAt !== null
    const newConfirmed = change.newConfirmedAt !== null
    if (oldConfirmed && newConfirmed) await complete(app, tx, owner, user.email, change)
    return { oldConfirmed, newConfirmed }
  })

/**
 * Sets the new address. If its unique constraint fails (`email_taken`), the transaction leaves everything unchanged.
 */
async function complete(
  app: FastifyInstance,
  tx: Transaction,
  owner: Caller,
  oldEmail: string | null,
  { userId, email, sessionId }: EmailChange,
): Promise<void> {
  await record(tx, owner, userEvents.email_changed, ...(await updateEmail(tx, { id: userId, email })))
  await revokeLinks(tx, userId)
  await endSessionsOf(tx, owner, userId, sessionId)
  for (const address of [oldEmail, email]) await notify(app, tx, owner, address, 'email_changed')
}
