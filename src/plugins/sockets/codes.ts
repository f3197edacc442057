/** Why a socket is closed (RFC 6455 §7.4), and what the client does then. The description of `GET /realtime` lists them. */
export const CLOSE = {
  restart: { code: 1012, reason: 'the process stops', client: 'Come back after a random second or two, and resume.' },
  too_big: { code: 1009, reason: 'the message is too big', client: 'Mend the client; do not come back by itself.' },
  bad_message: { code: 4400, reason: 'not a message', client: 'Mend the client; do not come back by itself.' },
  signed_out: { code: 4401, reason: 'the session or key has ended', client: 'Sign in again; a new ticket needs it.' },
  access_ended: {
    code: 4403,
    reason: 'access to a topic has ended',
    client: 'Come back and resume; topics that are refused then are lost.',
  },
  silent: { code: 4408, reason: 'no pong', client: 'Come back and resume.' },
  slow: {
    code: 4413,
    reason: 'messages are not taken',
    client: 'Come back and resume, with fewer topics if it happens again.',
  },
  too_many: { code: 4429, reason: 'too many messages', client: 'Mend the client, or come back after 10 seconds.' },
  renew: { code: 4440, reason: 'the ticket has served', client: 'Come back at once with a new ticket, and resume.' },
} as const

export type Close = keyof typeof CLOSE
