import type { FastifyInstance } from 'fastify'
import { randomToken, sha256 } from '../../../lib/crypto.ts'
import { defused } from '../../../lib/defused.ts'
import { setInvitationToken } from '../queries/invitations.ts'

/** The name is free text of a stranger, so it is quoted and defused. */
const text = (
  organization: string,
  role: string,
  link: string,
) => `You are invited to join “${organization}” with the role ${role}.

Accept within 7 days:
${link}

Without an account one is made for this address. If you know nothing of this, ignore this mail: nothing happens.
`

/**
 * Sends the mail with a token that is created here, so that only its hash is stored. Does nothing when the invitation
 * is no longer pending.
 */
export async function mailInvitation(app: FastifyInstance, appUrl: string, id: string): Promise<void> {
  const token = randomToken()
  const invitation = await app.database.transaction(tx => setInvitationToken(tx, { id, hash: sha256(token) }))
  if (!invitation) return
  const { email, role, organization } = invitation
  const link = `${appUrl}/invitation?token=${token}`
  await app.mail.send({
    to: email,
    subject: 'You are invited to an organization',
    text: text(defused(organization), role, link),
  })
}
