import type { FastifyInstance } from 'fastify'
import type { CreateMessage } from '../schemas.ts'
import { createMessage } from './messages.ts'
import { RoomSignals } from './signals.ts'

/** A user who types sends it every 3 seconds; what comes sooner is not passed on. */
const TYPING_MS = 2_000

/** Lets sockets that follow a room write into it, and shows who is present or typing. */
export function defineParticipation(app: FastifyInstance): void {
  const signals = new RoomSignals(app)
  app.sockets.defineParticipation('room', 'createMessage', (socket, { name, id }) => {
    const { principal, caller } = socket
    const userId = principal.actor.type === 'user' ? principal.actor.id : null
    let typedAtMs = Number.NEGATIVE_INFINITY
    return {
      post: body => createMessage(caller, id, body as CreateMessage),
      typing() {
        const now = performance.now()
        if (userId === null || now - typedAtMs < TYPING_MS) return
        typedAtMs = now
        signals.typing(id, userId)
      },
      leave: signals.follow(id, {
        userId,
        presence: change => socket.send({ type: 'presence', topic: name, ...change }),
        typing: userId => socket.send({ type: 'user_typing', topic: name, userId }),
      }),
    }
  })
}
