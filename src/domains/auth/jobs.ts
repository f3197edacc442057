import type { FastifyInstance } from 'fastify'
import { defineJob } from '../../jobs/define.ts'
import { deleteExpired, dueAccounts, eraseAccount, eraseUnverified } from './service/erasure.ts'
import { type Notice, notices } from './service/letters.ts'
import { mailEmailChange, mailInvitation, mailPasswordReset, mailRegistration, type Origin } from './service/mails.ts'

// Payloads contain only an address or a user id: the token is created together with its mail, so no job row contains
// one.
export const sendRegistrationMail = defineJob<{ email: string }>('auth.registration_mail')
export const sendPasswordResetMail = defineJob<{ email: string; origin: Origin }>('auth.password_reset_mail')
export const sendAccountInvitation = defineJob<{ userId: string }>('auth.account_invitation')
export const sendEmailChangeMail = defineJob<{ userId: string; toOld: boolean }>('auth.email_change_mail')
export const sendNotice = defineJob<{ email: string; notice: Notice }>('auth.notice')

type Nothing = Record<string, never>
const findDueAccounts = defineJob<Nothing>('auth.due_accounts')
const eraseDueAccount = defineJob<{ userId: string }>('auth.erase_account')
const expire = defineJob<Nothing>('auth.expire')
const eraseUnverifiedAccounts = defineJob<Nothing>('auth.erase_unverified')
const HOURLY = { erasure: '29 * * * *', expiry: '41 * * * *', unverified: '37 * * * *' }

export function registerAuthJobs(app: FastifyInstance, { appUrl }: { appUrl: string }): void {
  const { jobs, mail } = app
  jobs.handleOutside(sendRegistrationMail, ({ email }) => mailRegistration(app, appUrl, email))
  jobs.handleOutside(sendPasswordResetMail, ({ email, origin }) => mailPasswordReset(app, appUrl, email, origin))
  jobs.handleOutside(sendAccountInvitation, ({ userId }) => mailInvitation(app, appUrl, userId))
  jobs.handleOutside(sendEmailChangeMail, ({ userId, toOld }) => mailEmailChange(app, appUrl, userId, toOld))
  jobs.handleOutside(sendNotice, ({ email, notice }) => mail.send({ to: email, ...notices[notice] }))

  jobs.handle(findDueAccounts, async (_payload, tx) => {
    for (const userId of await dueAccounts(tx)) await jobs.enqueue(tx, eraseDueAccount, { userId })
  })
  jobs.handle(eraseDueAccount, ({ userId }, tx) => eraseAccount(app, tx, userId))
  jobs.schedule(findDueAccounts, HOURLY.erasure, {})
  jobs.sweep(expire, HOURLY.expiry, deleteExpired)
  jobs.handle(eraseUnverifiedAccounts, async (_payload, tx) => {
    if (await eraseUnverified(app, tx)) await jobs.enqueue(tx, eraseUnverifiedAccounts, {})
  })
  jobs.schedule(eraseUnverifiedAccounts, HOURLY.unverified, {})
}
