import type { FastifyInstance } from 'fastify'
import { defineJob } from '../../jobs/define.ts'
import { mailRegistration } from './service/mails.ts'

/** Names an address only: the token is made when the mail is, so that no job row ever holds one. */
export const sendRegistrationMail = defineJob<{ email: string }>('auth.registration_mail')

export function registerAuthJobs(app: FastifyInstance, { appUrl }: { appUrl: string }): void {
  app.jobs.handleOutside(sendRegistrationMail, ({ email }) => mailRegistration(app, appUrl, email))
}
