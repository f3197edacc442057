import type { FastifyInstance } from 'fastify'
import { type Caller, onBehalfOf } from '../../../events/caller.ts'
import { requestErrors } from '../../../lib/errors.ts'
import { updateMe } from '../../users/service.ts'
import { findRecipient } from '../queries/digests.ts'

const PLACE = 'unsubscribe'
const CHANGES = { digest: { digest: 'none' }, reminders: { emailNotifications: false } } as const
type Kind = keyof typeof CHANGES
type Keys = Pick<FastifyInstance, 'keyring'>

/** A link that anybody who has the mail may follow, for as long as its key is among `ENCRYPTION_KEYS`. */
const tokenFor = ({ keyring }: Keys, kind: Kind, userId: string): string =>
  keyring.encrypt(Buffer.from(`${kind} ${userId}`), PLACE).toString('base64url')

export function readToken({ keyring }: Keys, token: string): { kind: Kind; userId: string } | undefined {
  try {
    const [kind, userId] = keyring.decrypt(Buffer.from(token, 'base64url'), PLACE).toString().split(' ')
    return { kind: kind as Kind, userId: userId as string }
  } catch {
    return undefined
  }
}

/** The link, and the headers by which a mail program unsubscribes with one click (RFC 8058). */
export function unsubscribing(app: Keys, publicUrl: string, kind: Kind, userId: string) {
  const url = `${publicUrl}/unsubscribe?token=${tokenFor(app, kind, userId)}`
  return {
    url,
    headers: { 'List-Unsubscribe': `<${url}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' },
  }
}

/** Changes the setting that the mail came by; does it as often as it is asked for. Throws `token_invalid`. */
export async function unsubscribe(app: FastifyInstance, caller: Caller, token: string): Promise<void> {
  const read = readToken(app, token)
  if (!read || !(await findRecipient(app.database, { userId: read.userId }))) throw requestErrors.not_found()
  const settings = CHANGES[read.kind]
  await updateMe(onBehalfOf(caller, read.userId), read.userId, { settings }, null)
}
