import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Executor } from '../../../database/executor.ts'
import { asUser, type UserActor } from '../../../lib/access.ts'
import { randomToken, sha256 } from '../../../lib/crypto.ts'
import { insertToken, takeToken } from '../../auth/queries/tokens.ts'
import type { Ticket } from '../schemas.ts'

const TICKET_SECONDS = 30
const SCOPE = 'events:read'

/** Issues a ticket that opens one socket on any process. A URL may be logged, so it has a ticket instead of the credential. */
export async function issueTicket(app: FastifyInstance, on: Executor, request: FastifyRequest): Promise<Ticket> {
  const ticket = randomToken()
  const { actor } = request
  const user = actor?.type === 'user' ? actor : null
  // A key is identified by the hash of its secret, so sockets opened with an old secret end after a rotation.
  const subject = user?.sessionId ?? sha256(app.credentialOf(request) as string).toString('hex')
  const token = { hash: sha256(ticket), purpose: 'realtime', userId: user?.id ?? null, subject } as const
  await insertToken(on, { ...token, lifeSeconds: TICKET_SECONDS })
  return { ticket, expiresAt: new Date(Date.now() + TICKET_SECONDS * 1000).toISOString() }
}

/** Uses up the ticket and returns its principal; undefined if the ticket is unknown or the session or key has ended. */
export async function takeTicket(app: FastifyInstance, ticket: string) {
  const taken = await takeToken(app.database.writes, { hash: sha256(ticket), purpose: 'realtime' })
  if (!taken?.subject) return undefined
  return taken.userId === null
    ? keyPrincipal(app, Buffer.from(taken.subject, 'hex'))
    : sessionPrincipal(app, { type: 'user', id: taken.userId, sessionId: taken.subject, role: 'user' })
}

function sessionPrincipal(app: FastifyInstance, actor: UserActor) {
  const isLive = () => !app.revocations.has(asUser(actor).sessionId)
  return isLive() ? { actor, isLive } : undefined
}

async function keyPrincipal(app: FastifyInstance, hash: Buffer) {
  const isLive = async () => (await app.findKey.byHash(hash))?.scopes.includes(SCOPE) === true
  const actor = await app.findKey.byHash(hash)
  return actor?.scopes.includes(SCOPE) ? { actor, isLive } : undefined
}
