import type { FastifyInstance } from 'fastify'
import { randomToken, sha256 } from '../../../lib/crypto.ts'
import { findCredentials } from '../../users/queries.ts'
import { insertToken } from '../queries/tokens.ts'

const VERIFICATION_SECONDS = 86_400

const verify = (link: string) => `Welcome to Lintel.

Please confirm your address within 24 hours:
${link}

If you did not register, ignore this mail.
`

const KNOWN = `Somebody, perhaps you, tried to register with this address, which already has an account.

Sign in as usual. If it was not you, there is nothing to do.
`

/** To an unverified account a link, to a verified one a notice, to an unknown address nothing. */
export async function mailRegistration(app: FastifyInstance, appUrl: string, email: string): Promise<void> {
  const user = await findCredentials(app.database, { email })
  if (!user) return
  if (user.emailVerifiedAt !== null) {
    return app.mail.send({ to: email, subject: 'You already have an account', text: KNOWN })
  }
  const token = randomToken()
  await insertToken(app.database, {
    hash: sha256(token),
    purpose: 'verify_email',
    userId: user.id,
    subject: null,
    lifeSeconds: VERIFICATION_SECONDS,
  })
  const link = `${appUrl}/verify-email?token=${token}`
  await app.mail.send({ to: email, subject: 'Confirm your address', text: verify(link) })
}
