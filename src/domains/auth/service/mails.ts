import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { bySystem, type Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { userEvents } from '../../users/events.ts'
import { findCredentials, findCredentialsOf } from '../../users/queries/passwords.ts'
import { lockUser, lockUserByEmail } from '../../users/queries/users.ts'
import { findEmailChange } from '../queries/email-changes.ts'
import {
  accountInvitation,
  addressInUse,
  alreadyRegistered,
  EMAIL_CHANGE_SECONDS,
  INVITATION_SECONDS,
  type Letter,
  newAddress,
  oldAddress,
  passwordReset,
  RESET_SECONDS,
  VERIFICATION_SECONDS,
  verification,
} from './letters.ts'
import { issueToken } from './tokens.ts'

type Mail = Letter & { to: string }

/**
 * Sends the mail after the commit, so that it never announces something that was rolled back, and no transaction waits
 * for SMTP.
 */
async function send(app: FastifyInstance, compose: (tx: Transaction) => Promise<Mail | undefined>): Promise<void> {
  const mail = await app.database.transaction(compose)
  if (mail) await app.mail.send(mail)
}

/** An unverified account gets a link, a verified one a notice, and an unknown address nothing. */
export const mailRegistration = (app: FastifyInstance, appUrl: string, email: string): Promise<void> =>
  send(app, async tx => {
    const user = await lockUserByEmail(tx, { email })
    if (!user) return undefined
    if (user.emailVerifiedAt !== null) return { to: email, ...alreadyRegistered }
    const token = await issueToken(tx, {
      purpose: 'verify_email',
      userId: user.id,
      lifeSeconds: VERIFICATION_SECONDS,
    })
    return { to: email, ...verification(`${appUrl}/verify-email?token=${token}`) }
  })

/** Sends nothing when the account is gone, or has chosen a password meanwhile. */
export const mailInvitation = (app: FastifyInstance, appUrl: string, userId: string): Promise<void> =>
  send(app, async tx => {
    const user = await lockUser(tx, { id: userId })
    if (user?.status !== 'active' || user.email === null) return undefined
    if ((await findCredentialsOf(tx, { id: userId }))?.passwordHash) return undefined
    const token = await issueToken(tx, { purpose: 'reset_password', userId, lifeSeconds: INVITATION_SECONDS })
    return { to: user.email, ...accountInvitation(`${appUrl}/reset-password?token=${token}`) }
  })

/** The origin of a request, for the event that results from it. */
export type Origin = Pick<Caller, 'address' | 'userAgent' | 'requestId'>

/** Sends nothing to an unknown address or a deactivated account. */
export const mailPasswordReset = (app: FastifyInstance, appUrl: string, email: string, origin: Origin): Promise<void> =>
  send(app, async tx => {
    const user = await lockUserByEmail(tx, { email })
    if (user?.status !== 'active') return undefined
    const token = await issueToken(tx, { purpose: 'reset_password', userId: user.id, lifeSeconds: RESET_SECONDS })
    await record(tx, { ...bySystem(tx), ...origin }, userEvents.password_reset_requested, user)
    return { to: email, ...passwordReset(`${appUrl}/reset-password?token=${token}`) }
  })

/**
 * Sends nothing when the change is gone. If the new address already has an account, it gets a notice without a link.
 */
export const mailEmailChange = (app: FastifyInstance, appUrl: string, userId: string, toOld: boolean): Promise<void> =>
  send(app, async tx => {
    const user = await lockUser(tx, { id: userId })
    const change = await findEmailChange(tx, { userId })
    const to = toOld ? user?.email : change?.email
    if (!change || !to) return undefined
    if (!toOld && (await findCredentials(tx, { email: to }))) return { to, ...addressInUse }
    const purpose = toOld ? 'old_email' : 'new_email'
    const link = `${appUrl}/confirm-email?token=${await issueToken(tx, { purpose, userId, lifeSeconds: EMAIL_CHANGE_SECONDS })}`
    return { to, ...(toOld ? oldAddress(link, change.email) : newAddress(link)) }
  })
