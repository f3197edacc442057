import type { FastifyInstance } from 'fastify'
import { defineJob } from '../../jobs/define.ts'
import { deleteExpiredInvitations } from './queries/invitations.ts'
import { eraseNext } from './service/deletions.ts'
import { mailInvitation } from './service/mails.ts'

/** One step of a deletion. A deletion must be completed, so it is retried for weeks. */
export const continueDeletion = defineJob<{ deletionId: string }>('organizations.delete', { retry: { limit: 500 } })
/** The payload contains no address and no token. */
export const sendInvitationMail = defineJob<{ invitationId: string }>('organizations.invitation_mail')
const expireInvitations = defineJob<Record<string, never>>('organizations.expire_invitations')
const DAILY = '53 3 * * *'

export function registerOrganizationJobs(app: FastifyInstance, { appUrl }: { appUrl: string }): void {
  const { jobs } = app
  jobs.handle(continueDeletion, async ({ deletionId }, tx) => {
    if (await eraseNext(app, tx, deletionId)) await jobs.enqueue(tx, continueDeletion, { deletionId })
  })
  jobs.handleOutside(sendInvitationMail, ({ invitationId }) => mailInvitation(app, appUrl, invitationId))
  jobs.sweep(expireInvitations, DAILY, tx => deleteExpiredInvitations(tx, {}))
}
